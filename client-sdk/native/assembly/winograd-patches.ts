// biome-ignore-all format: parameters and arguments stand in groups that belong together
import { FLOAT, PANEL, VECTOR } from './lanes'
import { dataTransform, errorTransform, filterTransform, outputTransform } from './winograd-transforms'

/**
 * Patches worked on together: 36 * 48 * (32 + 64) floats of McMahan's second layer, 660 KB, stay in the second-level
 * cache between the passes.
 */
export const BLOCK: u32 = 48

/** Bytes added to each of the 36 planes, so that their starts do not fall into the same set of the first-level cache. */
const SKEW: u32 = 64

export function planeBytes(patches: u32, channels: u32): u32 {
  return patches * channels * FLOAT + SKEW
}

/** Outputs along one side of a patch. */
export function outputs(taps: u32): u32 {
  return 6 - taps + 1
}

/** f[taps][taps][ci][co] to to[36][co / 8][ci][8]: for each point a matrix in the tile's panels. */
export function transformFilters(f: usize, taps: u32, ci: u32, co: u32, to: usize, temporary: usize): void {
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

/**
 * Patches are numbered image by image and row by row, `down` x `across` of them in an image; patch `index` has its corner
 * `outs` pixels of output from its neighbours'. Its 6 x 6 pixels, zeros outside the image, go to 36 planes of
 * [BLOCK][channels].
 */
export function transformPatch(
  x: usize, height: u32, width: u32, channels: u32, index: u32, down: u32, across: u32, outs: u32, top: u32, left: u32,
  border: usize, temporary: usize, to: usize,
): void {
  const pixel = channels * FLOAT
  const image = x + (index / (down * across)) * height * width * pixel
  const row = <i32>(((index / across) % down) * outs - top), column = <i32>((index % across) * outs - left)
  const inside = row >= 0 && column >= 0 && row + 6 <= <i32>height && column + 6 <= <i32>width
  if (!inside) copyPart(image, height, width, pixel, row, column, 6, border)
  const from = inside ? image + (row * width + column) * pixel : border
  const fromRow = inside ? width * pixel : 6 * pixel
  const plane = planeBytes(BLOCK, channels)
  for (let channel: u32 = 0; channel < pixel; channel += VECTOR) {
    for (let c: u32 = 0; c < 6; c++) dataTransform(from + c * pixel + channel, fromRow, temporary + c * VECTOR, 6 * VECTOR)
    for (let r: u32 = 0; r < 6; r++) dataTransform(temporary + r * 6 * VECTOR, VECTOR, to + channel + r * 6 * plane, plane)
  }
}

/** The errors of patch `index`'s outputs, zeros outside the image, to 36 planes of [BLOCK][channels]. */
export function transformErrors(
  dy: usize, height: u32, width: u32, channels: u32, index: u32, down: u32, across: u32, taps: u32,
  border: usize, temporary: usize, to: usize,
): void {
  const outs = outputs(taps)
  const pixel = channels * FLOAT
  const image = dy + (index / (down * across)) * height * width * pixel
  const row = ((index / across) % down) * outs, column = (index % across) * outs
  const inside = row + outs <= height && column + outs <= width
  if (!inside) copyPart(image, height, width, pixel, row, column, outs, border)
  const from = inside ? image + (row * width + column) * pixel : border
  const fromRow = inside ? width * pixel : outs * pixel
  const plane = planeBytes(BLOCK, channels)
  for (let channel: u32 = 0; channel < pixel; channel += VECTOR) {
    for (let c: u32 = 0; c < outs; c++) errorTransform(taps, from + c * pixel + channel, fromRow, temporary + c * VECTOR, 6 * VECTOR)
    for (let r: u32 = 0; r < 6; r++) errorTransform(taps, temporary + r * 6 * VECTOR, VECTOR, to + channel + r * 6 * plane, plane)
  }
}

/** 36 planes back to the outputs of patch `index`; those beyond the image are dropped. */
export function storeOutputs(
  y: usize, height: u32, width: u32, channels: u32, index: u32, down: u32, across: u32, taps: u32,
  from: usize, temporary: usize,
): void {
  const outs = outputs(taps)
  const pixel = channels * FLOAT
  const image = y + (index / (down * across)) * height * width * pixel
  const row = ((index / across) % down) * outs, column = (index % across) * outs
  const rows = min(outs, height - row), columns = min(outs, width - column)
  const plane = planeBytes(BLOCK, channels)
  const to = image + (row * width + column) * pixel
  const spare = temporary + 24 * VECTOR // the first pass fills 4 rows of 6 vectors at most
  for (let channel: u32 = 0; channel < pixel; channel += VECTOR) {
    for (let c: u32 = 0; c < 6; c++) outputTransform(taps, from + channel + c * plane, 6 * plane, temporary + c * VECTOR, 6 * VECTOR)
    for (let r: u32 = 0; r < rows; r++) {
      const toRow = to + r * width * pixel + channel
      if (columns === outs) {
        outputTransform(taps, temporary + r * 6 * VECTOR, VECTOR, toRow, pixel)
      } else {
        outputTransform(taps, temporary + r * 6 * VECTOR, VECTOR, spare, VECTOR)
        for (let c: u32 = 0; c < columns; c++) v128.store(toRow + c * pixel, v128.load(spare + c * VECTOR))
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
