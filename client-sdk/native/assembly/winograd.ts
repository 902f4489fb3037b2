// biome-ignore-all format: parameters and arguments stand in groups that belong together
import { FLOAT, PANEL, VECTOR } from './lanes'
import { tile, transpose4 } from './tile'
import { BLOCK, outputs, planeBytes, storeOutputs, transformErrors, transformFilters, transformPatch } from './winograd-patches'
import { filterGradTransform } from './winograd-transforms'

/**
 * Winograd convolutions with square filters of 3 or 5 taps and stride 1 (Lavin and Gray 2016): 36 products of small
 * matrices take the place of one product 4 times (3 x 3) or 2.8 times (5 x 5) as large. A patch of 6 x 6 pixels gives
 * 4 x 4 or 2 x 2 outputs. Channel counts are multiples of 8.
 */

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
  const outs = outputs(taps)
  const down = (oh + outs - 1) / outs, across = (ow + outs - 1) / outs
  const patches = n * down * across
  for (let from: u32 = 0; from < patches; from += BLOCK) {
    const count = min(BLOCK, patches - from)
    for (let i: u32 = 0; i < count; i++) {
      transformPatch(x, height, width, ci, from + i, down, across, outs, top, left, border, temporary, data + i * ci * FLOAT)
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
      storeOutputs(y, oh, ow, co, from + i, down, across, taps, products + i * co * FLOAT, temporary)
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
  const outs = outputs(taps)
  const down = (oh + outs - 1) / outs, across = (ow + outs - 1) / outs
  const patches = n * down * across
  for (let from: u32 = 0; from < patches; from += BLOCK) {
    const count = min(BLOCK, patches - from)
    for (let i: u32 = 0; i < count; i++) {
      transformPatch(x, height, width, ci, from + i, down, across, outs, top, left, border, temporary, data + i * ci * FLOAT)
      transformErrors(dy, oh, ow, co, from + i, down, across, taps, border, temporary, errors + i * co * FLOAT)
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
