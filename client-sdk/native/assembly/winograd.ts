// biome-ignore-all format: parameters and arguments stand in groups that belong together
import { FLOAT, PANEL, VECTOR } from './lanes'
import { tile, transpose4 } from './tile'
import { dataTransform, errorTransform, filterGradTransform, filterTransform, outputTransform } from './winograd-transforms'

/**
 * Winograd convolutions with square filters of 3 or 5 taps and stride 1 (Lavin and Gray 2016): 36 products of small
 * matrices take the place of one product 4 times (3 x 3) or 2.8 times (5 x 5) as large. A patch of 6 x 6 pixels gives
 * 4 x 4 or 2 x 2 outputs. Channel counts are multiples of 8.
 */

/**
 * Patches worked on together: 36 * 48 * (32 + 64) floats of McMahan's second layer, 660 KB, stay in the second-level
 * cache between the passes.
 */
const BLOCK: u32 = 48

/** Bytes added to each of the 36 planes, so that their starts do not fall into the same set of the first-level cache. */
const SKEW: u32 = 64

function planeBytes(patches: u32, channels: u32): u32 {
  return patches * channels * FLOAT + SKEW
}

/** Bytes of scratch for the three functions below. */
export function winogradScratch(taps: u32, ci: u32, co: u32): usize {
  const planes = 36 * (planeBytes(BLOCK, ci) + planeBytes(BLOCK, co))
  const filters = 36 * ci * co * FLOAT + taps * taps * ci * co * FLOAT
  return planes + filters + 36 * max(ci, co) * FLOAT + 36 * VECTOR
}

/** y[n][oh][ow][co] = x convolved with f, `top` and `left` zeros around x. */
export function winogradForward(
  x: usize, f: usize, y: usize, scratch: usize,
  n: u32, height: u32, width: u32, ci: u32, taps: u32, co: u32, top: u32, left: u32, oh: u32, ow: u32,
): void {
  const temporary = scratch
  const border = temporary + 36 * VECTOR
  const filters = border + 36 * ci * FLOAT
  const data = filters + 36 * ci * co * FLOAT
  const products = data + 36 * planeBytes(BLOCK, ci)
  transformFilters(f, taps, ci, co, filters, temporary)
  const outs: u32 = 6 - taps + 1
  const down = (oh + outs - 1) / outs, across = (ow + outs - 1) / outs
  const patches = n * down * across
  for (let from: u32 = 0; from < patches; from += BLOCK) {
    const count = min(BLOCK, patches - from)
    for (let i: u32 = 0; i < count; i++) {
      const image = (from + i) / (down * across), row = ((from + i) / across) % down, column = (from + i) % across
      const corner = x + image * height * width * ci * FLOAT
      transformPatch(corner, height, width, ci, row * outs - top, column * outs - left, border, temporary, data + i * ci * FLOAT)
    }
    for (let point: u32 = 0; point < 36; point++) {
      const rows = data + point * planeBytes(BLOCK, ci), to = products + point * planeBytes(BLOCK, co)
      for (let j: u32 = 0; j < co; j += 8) {
        const panel = filters + (point * co + j) * ci * FLOAT
        for (let i: u32 = 0; i < count; i += 4) {
          const a = rows + i * ci * FLOAT
          // A block's last rows may hold an earlier block's patches: they are read, never stored.
          tile(
            min<u32>(4, count - i), 8, 1, ci,
            a, a + ci * FLOAT, a + 2 * ci * FLOAT, a + 3 * ci * FLOAT, FLOAT, 0,
            panel, PANEL, to + (i * co + j) * FLOAT, co * FLOAT, false,
          )
        }
      }
    }
    for (let i: u32 = 0; i < count; i++) {
      const image = (from + i) / (down * across), row = ((from + i) / across) % down, column = (from + i) % across
      const corner = y + image * oh * ow * co * FLOAT
      storeOutputs(corner, oh, ow, co, row * outs, column * outs, taps, products + i * co * FLOAT, temporary)
    }
  }
}

/** dx[n][height][width][ci]: dy convolved with the filters turned round, input and output channels exchanged. */
export function winogradBackpropInput(
  dy: usize, f: usize, dx: usize, scratch: usize,
  n: u32, height: u32, width: u32, ci: u32, taps: u32, co: u32, top: u32, left: u32, oh: u32, ow: u32,
): void {
  const turned = scratch
  for (let tap: u32 = 0; tap < taps * taps; tap++) {
    const from = f + (taps * taps - 1 - tap) * ci * co * FLOAT, to = turned + tap * ci * co * FLOAT
    for (let i: u32 = 0; i < ci; i += 4) {
      for (let j: u32 = 0; j < co; j += 4) transpose4(from + (i * co + j) * FLOAT, co * FLOAT, to + (j * ci + i) * FLOAT, ci * FLOAT)
    }
  }
  const rest = scratch + taps * taps * ci * co * FLOAT
  winogradForward(dy, turned, dx, rest, n, oh, ow, co, taps, ci, taps - 1 - top, taps - 1 - left, height, width)
}

/** dw[taps][taps][ci][co]: the products of transformed patches and transformed errors, added up and transformed back. */
export function winogradBackpropFilter(
  x: usize, dy: usize, dw: usize, scratch: usize,
  n: u32, height: u32, width: u32, ci: u32, taps: u32, co: u32, top: u32, left: u32, oh: u32, ow: u32,
): void {
  const temporary = scratch
  const border = temporary + 36 * VECTOR
  const sums = border + 36 * max(ci, co) * FLOAT
  const data = sums + 36 * ci * co * FLOAT
  const errors = data + 36 * planeBytes(BLOCK, ci)
  const outs: u32 = 6 - taps + 1
  const down = (oh + outs - 1) / outs, across = (ow + outs - 1) / outs
  const patches = n * down * across
  for (let from: u32 = 0; from < patches; from += BLOCK) {
    const count = min(BLOCK, patches - from)
    for (let i: u32 = 0; i < count; i++) {
      const image = (from + i) / (down * across), row = ((from + i) / across) % down, column = (from + i) % across
      const corner = x + image * height * width * ci * FLOAT
      transformPatch(corner, height, width, ci, row * outs - top, column * outs - left, border, temporary, data + i * ci * FLOAT)
      const error = dy + image * oh * ow * co * FLOAT
      transformErrors(error, oh, ow, co, row * outs, column * outs, taps, border, temporary, errors + i * co * FLOAT)
    }
    for (let point: u32 = 0; point < 36; point++) {
      const columns = data + point * planeBytes(BLOCK, ci), panel = errors + point * planeBytes(BLOCK, co)
      for (let j: u32 = 0; j < co; j += 8) {
        for (let i: u32 = 0; i < ci; i += 4) {
          const a = columns + i * FLOAT
          tile(
            4, 8, 1, count,
            a, a + FLOAT, a + 2 * FLOAT, a + 3 * FLOAT, ci * FLOAT, 0,
            panel + j * FLOAT, co * FLOAT, sums + ((point * ci + i) * co + j) * FLOAT, co * FLOAT, from > 0,
          )
        }
      }
    }
  }
  for (let i: u32 = 0; i < ci * co; i += 4) {
    const plane = ci * co * FLOAT
    for (let column: u32 = 0; column < 6; column++) {
      filterGradTransform(taps, sums + i * FLOAT + column * plane, 6 * plane, temporary + column * VECTOR, 6 * VECTOR)
    }
    for (let row: u32 = 0; row < taps; row++) {
      filterGradTransform(taps, temporary + row * 6 * VECTOR, VECTOR, dw + i * FLOAT + row * taps * plane, plane)
    }
  }
}

/** f[taps][taps][ci][co] to to[36][co / 8][ci][8]: for each point a matrix in the tile's panels. */
function transformFilters(f: usize, taps: u32, ci: u32, co: u32, to: usize, temporary: usize): void {
  const tap = ci * co * FLOAT
  for (let i: u32 = 0; i < ci; i++) {
    for (let j: u32 = 0; j < co; j += 4) {
      const from = f + (i * co + j) * FLOAT
      for (let column: u32 = 0; column < taps; column++) {
        filterTransform(taps, from + column * tap, taps * tap, temporary + column * VECTOR, 6 * VECTOR)
      }
      const panel = to + ((j / 8) * ci + i) * PANEL + (j % 8) * FLOAT
      for (let row: u32 = 0; row < 6; row++) filterTransform(taps, temporary + row * 6 * VECTOR, VECTOR, panel + row * 6 * tap, tap)
    }
  }
}

/** The 6 x 6 pixels from (row, column) on, zeros outside the image, to 36 planes of [BLOCK][channels]. */
function transformPatch(x: usize, height: u32, width: u32, channels: u32, row: i32, column: i32, border: usize, temporary: usize, to: usize): void {
  const pixel = channels * FLOAT
  const inside = row >= 0 && column >= 0 && row + 6 <= <i32>height && column + 6 <= <i32>width
  if (!inside) copyPart(x, height, width, pixel, row, column, 6, border)
  const from = inside ? x + (row * width + column) * pixel : border
  const down = inside ? width * pixel : 6 * pixel
  const plane = planeBytes(BLOCK, channels)
  for (let channel: u32 = 0; channel < pixel; channel += VECTOR) {
    for (let c: u32 = 0; c < 6; c++) dataTransform(from + c * pixel + channel, down, temporary + c * VECTOR, 6 * VECTOR)
    for (let r: u32 = 0; r < 6; r++) dataTransform(temporary + r * 6 * VECTOR, VECTOR, to + channel + r * 6 * plane, plane)
  }
}

/** The errors of the outputs from (row, column) on, zeros outside, to 36 planes of [BLOCK][channels]. */
function transformErrors(
  dy: usize, height: u32, width: u32, channels: u32, row: u32, column: u32, taps: u32, border: usize, temporary: usize, to: usize,
): void {
  const outs: u32 = 6 - taps + 1
  const pixel = channels * FLOAT
  const inside = row + outs <= height && column + outs <= width
  if (!inside) copyPart(dy, height, width, pixel, row, column, outs, border)
  const from = inside ? dy + (row * width + column) * pixel : border
  const down = inside ? width * pixel : outs * pixel
  const plane = planeBytes(BLOCK, channels)
  for (let channel: u32 = 0; channel < pixel; channel += VECTOR) {
    for (let c: u32 = 0; c < outs; c++) errorTransform(taps, from + c * pixel + channel, down, temporary + c * VECTOR, 6 * VECTOR)
    for (let r: u32 = 0; r < 6; r++) errorTransform(taps, temporary + r * 6 * VECTOR, VECTOR, to + channel + r * 6 * plane, plane)
  }
}

/** 36 planes back to the outputs from (row, column) on; outputs beyond the image are dropped. */
function storeOutputs(y: usize, height: u32, width: u32, channels: u32, row: u32, column: u32, taps: u32, from: usize, temporary: usize): void {
  const outs: u32 = 6 - taps + 1
  const pixel = channels * FLOAT
  const rows = min(outs, height - row), columns = min(outs, width - column)
  const plane = planeBytes(BLOCK, channels)
  const to = y + (row * width + column) * pixel
  const whole = columns === outs
  const spare = temporary + 24 * VECTOR
  for (let channel: u32 = 0; channel < pixel; channel += VECTOR) {
    for (let c: u32 = 0; c < 6; c++) outputTransform(taps, from + channel + c * plane, 6 * plane, temporary + c * VECTOR, 6 * VECTOR)
    for (let r: u32 = 0; r < rows; r++) {
      const outputs = to + r * width * pixel + channel
      if (whole) {
        outputTransform(taps, temporary + r * 6 * VECTOR, VECTOR, outputs, pixel)
      } else {
        outputTransform(taps, temporary + r * 6 * VECTOR, VECTOR, spare, VECTOR)
        for (let c: u32 = 0; c < columns; c++) v128.store(outputs + c * pixel, v128.load(spare + c * VECTOR))
      }
    }
  }
}

/** Copies a square of `size` pixels from (row, column) on, with zeros where it leaves the image. */
function copyPart(x: usize, height: u32, width: u32, pixel: u32, row: i32, column: i32, size: u32, to: usize): void {
  const before = <u32>max(0, -column)
  const end = <u32>min(<i32>size, <i32>width - column)
  for (let r: u32 = 0; r < size; r++, to += size * pixel) {
    const inside = row + <i32>r >= 0 && row + <i32>r < <i32>height && <i32>end > <i32>before
    if (!inside) {
      memory.fill(to, 0, size * pixel)
      continue
    }
    memory.fill(to, 0, before * pixel)
    memory.copy(to + before * pixel, x + ((row + r) * width + column + before) * pixel, (end - before) * pixel)
    memory.fill(to + end * pixel, 0, (size - end) * pixel)
  }
}
