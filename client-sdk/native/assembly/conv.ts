// biome-ignore-all format: parameters and arguments stand in groups that belong together
import { FLOAT, PANEL } from './lanes'
import { packPanels, packTransposed, panelCount, tile } from './tile'

/**
 * Direct convolutions over NHWC tensors and HWIO filters. An image with padding is first copied into a frame of zeros,
 * so that no loop below tests for a border; the tile then reads the patches where they lie, without an im2col copy.
 */

/** Rows (or columns) of the frame that holds every patch: `out` patches of `taps`, `stride` apart. */
function frameSize(out: u32, stride: u32, taps: u32): u32 {
  return (out - 1) * stride + taps
}

/** Bytes of scratch that the three functions below need at most. */
export function convScratch(
  height: u32, width: u32, ci: u32, kh: u32, kw: u32, co: u32, sh: u32, sw: u32, top: u32, left: u32, oh: u32, ow: u32,
): usize {
  const frame = max(frameSize(oh, sh, kh), top + height) * max(frameSize(ow, sw, kw), left + width) * ci * FLOAT
  const filters = kh * kw * max(ci * panelCount(co), co * panelCount(ci)) * PANEL
  const errors = oh * ow * panelCount(co) * PANEL
  return frame + max(filters, errors)
}

/** Copies what fits of an image of `height` x `width` x `ci` into a zeroed frame, `top` and `left` pixels in. */
function frameImage(x: usize, height: u32, width: u32, ci: u32, top: u32, left: u32, frame: usize, frameHeight: u32, frameWidth: u32): void {
  memory.fill(frame, 0, frameHeight * frameWidth * ci * FLOAT)
  const rows = min<i32>(height, frameHeight - top), columns = min<i32>(width, frameWidth - left)
  if (columns <= 0) return
  for (let row: i32 = 0; row < rows; row++) {
    memory.copy(frame + ((row + top) * frameWidth + left) * ci * FLOAT, x + row * width * ci * FLOAT, columns * ci * FLOAT)
  }
}

/** y[n][oh][ow][co] = x convolved with f. A tile is 4 pixels x 8 output channels, a stretch one filter row. */
export function convForward(
  x: usize, f: usize, y: usize, scratch: usize,
  n: u32, height: u32, width: u32, ci: u32, kh: u32, kw: u32, co: u32,
  sh: u32, sw: u32, top: u32, left: u32, oh: u32, ow: u32,
): void {
  const taps = kh * kw * ci
  const panelBytes = taps * PANEL
  packPanels(f, co * FLOAT, taps, co, scratch, panelBytes)
  const frame = scratch + panelCount(co) * panelBytes
  const frameHeight = frameSize(oh, sh, kh), frameWidth = frameSize(ow, sw, kw)
  const framed = top + left > 0 || frameHeight > height || frameWidth > width
  const row = (framed ? frameWidth : width) * ci * FLOAT
  const jump = row - kw * ci * FLOAT
  const down = sh * row, right = sw * ci * FLOAT
  const pixels = oh * ow
  for (let image: u32 = 0; image < n; image++, x += height * width * ci * FLOAT, y += pixels * co * FLOAT) {
    if (framed) frameImage(x, height, width, ci, top, left, frame, frameHeight, frameWidth)
    const from = framed ? frame : x
    for (let j: u32 = 0; j < co; j += 8) {
      const panel = scratch + (j / 8) * panelBytes
      for (let pixel: u32 = 0; pixel < pixels; pixel += 4) {
        const last = pixels - 1
        const p1 = min(pixel + 1, last), p2 = min(pixel + 2, last), p3 = min(pixel + 3, last)
        tile(
          min<u32>(4, pixels - pixel), min<u32>(8, co - j), kh, kw * ci,
          from + (pixel / ow) * down + (pixel % ow) * right, from + (p1 / ow) * down + (p1 % ow) * right,
          from + (p2 / ow) * down + (p2 % ow) * right, from + (p3 / ow) * down + (p3 % ow) * right, FLOAT, jump,
          panel, PANEL, y + (pixel * co + j) * FLOAT, co * FLOAT, false,
        )
      }
    }
  }
}

/**
 * dw[kh][kw][ci][co] = the sum over all pixels of x's patches times dy. A tile is 4 taps x 8 output channels, a stretch
 * one row of pixels; the images are added up in order.
 */
export function convBackpropFilter(
  x: usize, dy: usize, dw: usize, scratch: usize,
  n: u32, height: u32, width: u32, ci: u32, kh: u32, kw: u32, co: u32,
  sh: u32, sw: u32, top: u32, left: u32, oh: u32, ow: u32,
): void {
  const taps = kh * kw * ci
  const panelBytes = oh * ow * PANEL
  const frame = scratch + panelCount(co) * panelBytes
  const frameHeight = frameSize(oh, sh, kh), frameWidth = frameSize(ow, sw, kw)
  const framed = top + left > 0 || frameHeight > height || frameWidth > width
  const row = (framed ? frameWidth : width) * ci * FLOAT
  const step = sw * ci * FLOAT
  const jump = sh * row - ow * step
  for (let image: u32 = 0; image < n; image++, x += height * width * ci * FLOAT, dy += oh * ow * co * FLOAT) {
    if (framed) frameImage(x, height, width, ci, top, left, frame, frameHeight, frameWidth)
    packPanels(dy, co * FLOAT, oh * ow, co, scratch, panelBytes)
    const from = framed ? frame : x
    for (let j: u32 = 0; j < co; j += 8) {
      const panel = scratch + (j / 8) * panelBytes
      for (let tap: u32 = 0; tap < taps; tap += 4) {
        const last = taps - 1
        tile(
          min<u32>(4, taps - tap), min<u32>(8, co - j), oh, ow,
          from + tapOffset(tap, kw * ci, row), from + tapOffset(min(tap + 1, last), kw * ci, row),
          from + tapOffset(min(tap + 2, last), kw * ci, row), from + tapOffset(min(tap + 3, last), kw * ci, row), step, jump,
          panel, PANEL, dw + (tap * co + j) * FLOAT, co * FLOAT, image > 0,
        )
      }
    }
  }
}

/** Bytes from a patch's first value to tap number `tap` of a filter whose rows are `stretch` values wide. */
function tapOffset(tap: u32, stretch: u32, row: usize): usize {
  return (tap / stretch) * row + (tap % stretch) * FLOAT
}

/**
 * dx[n][h][w][ci] = dy sent back through f. For every tap, dy times the tap's matrix is added to the pixels that the tap
 * saw: they lie `sw` apart in the frame, so the tile adds its rows there itself, at any stride.
 */
export function convBackpropInput(
  dy: usize, f: usize, dx: usize, scratch: usize,
  n: u32, height: u32, width: u32, ci: u32, kh: u32, kw: u32, co: u32,
  sh: u32, sw: u32, top: u32, left: u32, oh: u32, ow: u32,
): void {
  const panelBytes = co * PANEL
  const tapBytes = panelCount(ci) * panelBytes
  for (let tap: u32 = 0; tap < kh * kw; tap++) {
    packTransposed(f + tap * ci * co * FLOAT, co * FLOAT, co, ci, scratch + tap * tapBytes, panelBytes)
  }
  const frame = scratch + kh * kw * tapBytes
  const frameHeight = max(frameSize(oh, sh, kh), top + height), frameWidth = max(frameSize(ow, sw, kw), left + width)
  const framed = frameHeight !== height || frameWidth !== width
  const frameBytes = frameHeight * frameWidth * ci * FLOAT
  const pixel = ci * FLOAT, error = co * FLOAT
  for (let image: u32 = 0; image < n; image++, dy += oh * ow * error, dx += height * width * pixel) {
    const to = framed ? frame : dx
    memory.fill(to, 0, frameBytes)
    for (let tap: u32 = 0; tap < kh * kw; tap++) {
      for (let j: u32 = 0; j < ci; j += 8) {
        const panel = scratch + tap * tapBytes + (j / 8) * panelBytes
        for (let r: u32 = 0; r < oh; r++) {
          const seen = to + ((r * sh + tap / kw) * frameWidth + (tap % kw)) * pixel + j * FLOAT
          for (let c: u32 = 0; c < ow; c += 4) {
            const a = dy + (r * ow + c) * error
            const last = ow - c - 1
            tile(
              min<u32>(4, ow - c), min<u32>(8, ci - j), 1, co,
              a, a + min<u32>(1, last) * error, a + min<u32>(2, last) * error, a + min<u32>(3, last) * error, FLOAT, 0,
              panel, PANEL, seen + c * sw * pixel, sw * pixel, true,
            )
          }
        }
      }
    }
    if (framed) {
      for (let r: u32 = 0; r < height; r++) {
        memory.copy(dx + r * width * pixel, frame + ((r + top) * frameWidth + left) * pixel, width * pixel)
      }
    }
  }
}
