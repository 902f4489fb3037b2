// biome-ignore-all format: parameters and arguments stand in groups that belong together
import { FLOAT, multiplyAdd, PANEL, VECTOR } from './lanes'

/**
 * The inner loop of every matrix product and convolution here: a tile of 4 rows and 8 columns of
 *
 *     c[row][column] = sum over k of a[row][k] * b[k][column]        (added to c with `accumulate`)
 *
 * where k runs over `runs` stretches of `run` steps. A step moves the four row pointers by `aStep` bytes, the end of a
 * stretch by `aJump` more; b is a panel of 8 columns whose rows are `bStep` bytes apart. With a pointer for each row a
 * convolution reads its patches straight from the image: a pixel is a row, a filter row a stretch.
 *
 * Why 4 x 8: eight accumulators, two vectors of b, one of a and one product fill 12 of the 15 registers that V8 has
 * left on x86-64. Measured, 5 x 8 and 6 x 8 spill and halve the speed; 4 x 8 reaches over 90 % of the machine's peak.
 *
 * `rows` (1 to 4) and `columns` (1 to 8) say how much of the tile is stored; `runs`, `run` and `bStep` are at least 1. All four row pointers and all 8 columns
 * of b must be readable.
 */
export function tile(
  rows: u32, columns: u32, runs: u32, run: u32,
  a0: usize, a1: usize, a2: usize, a3: usize, aStep: usize, aJump: usize,
  b: usize, bStep: usize,
  c: usize, cRow: usize, accumulate: bool,
): void {
  let c00 = f32x4.splat(0), c01 = c00
  let c10 = c00, c11 = c00
  let c20 = c00, c21 = c00
  let c30 = c00, c31 = c00
  do {
    const end = b + run * bStep
    do {
      const b0 = v128.load(b), b1 = v128.load(b, VECTOR)
      let a = v128.load32_splat(a0)
      c00 = multiplyAdd(a, b0, c00)
      c01 = multiplyAdd(a, b1, c01)
      a = v128.load32_splat(a1)
      c10 = multiplyAdd(a, b0, c10)
      c11 = multiplyAdd(a, b1, c11)
      a = v128.load32_splat(a2)
      c20 = multiplyAdd(a, b0, c20)
      c21 = multiplyAdd(a, b1, c21)
      a = v128.load32_splat(a3)
      c30 = multiplyAdd(a, b0, c30)
      c31 = multiplyAdd(a, b1, c31)
      a0 += aStep
      a1 += aStep
      a2 += aStep
      a3 += aStep
      b += bStep
    } while (b !== end)
    a0 += aJump
    a1 += aJump
    a2 += aJump
    a3 += aJump
  } while (--runs > 0)
  if (rows === 4 && columns === 8) {
    storeWhole(c, c00, c01, accumulate)
    storeWhole(c + cRow, c10, c11, accumulate)
    storeWhole(c + 2 * cRow, c20, c21, accumulate)
    storeWhole(c + 3 * cRow, c30, c31, accumulate)
    return
  }
  storeRow(c, columns, c00, c01, accumulate)
  if (rows > 1) storeRow(c + cRow, columns, c10, c11, accumulate)
  if (rows > 2) storeRow(c + 2 * cRow, columns, c20, c21, accumulate)
  if (rows > 3) storeRow(c + 3 * cRow, columns, c30, c31, accumulate)
}

function storeWhole(c: usize, low: v128, high: v128, accumulate: bool): void {
  if (accumulate) {
    low = f32x4.add(low, v128.load(c))
    high = f32x4.add(high, v128.load(c, VECTOR))
  }
  v128.store(c, low)
  v128.store(c, high, VECTOR)
}

function storeRow(c: usize, columns: u32, low: v128, high: v128, accumulate: bool): void {
  for (let i: u32 = 0; i < columns; i++, c += FLOAT) {
    const sum = f32x4.extract_lane(low, 0)
    store<f32>(c, accumulate ? load<f32>(c) + sum : sum)
    low = i32x4.shuffle(low, high, 1, 2, 3, 4)
    high = i32x4.shuffle(high, high, 1, 2, 3, 0)
  }
}

/** Panels of 8 columns that `columns` columns take, the last one filled up with zeros. */
export function panelCount(columns: u32): u32 {
  return (columns + 7) / 8
}

/**
 * Rewrites the matrix b of `k` rows, `bRow` bytes apart, as panels of 8 columns: to[panel][k][8], `toPanel` bytes from
 * one panel to the next. A panel lies in the first-level cache in one piece, whatever the width of b.
 */
export function packPanels(b: usize, bRow: usize, k: u32, columns: u32, to: usize, toPanel: usize): void {
  for (let column: u32 = 0; column < columns; column += 8, b += PANEL, to += toPanel) {
    let from = b, panel = to
    const width = min<u32>(8, columns - column)
    if (width === 8) {
      for (let i: u32 = 0; i < k; i++, from += bRow, panel += PANEL) {
        v128.store(panel, v128.load(from))
        v128.store(panel, v128.load(from, VECTOR), VECTOR)
      }
    } else {
      for (let i: u32 = 0; i < k; i++, from += bRow, panel += PANEL) {
        for (let j: u32 = 0; j < 8; j++) store<f32>(panel + j * FLOAT, j < width ? load<f32>(from + j * FLOAT) : 0)
      }
    }
  }
}

/** As packPanels, for b given transposed: `columns` rows of `k` values each, `bRow` bytes apart. */
export function packTransposed(b: usize, bRow: usize, k: u32, columns: u32, to: usize, toPanel: usize): void {
  for (let column: u32 = 0; column < columns; column += 8, b += 8 * bRow, to += toPanel) {
    const width = min<u32>(8, columns - column)
    let i: u32 = 0
    if (width === 8) {
      for (; i + 4 <= k; i += 4) {
        const from = b + i * FLOAT, panel = to + i * PANEL
        transpose4(from, bRow, panel, PANEL)
        transpose4(from + 4 * bRow, bRow, panel + VECTOR, PANEL)
      }
    }
    for (; i < k; i++) {
      const from = b + i * FLOAT, panel = to + i * PANEL
      for (let j: u32 = 0; j < 8; j++) store<f32>(panel + j * FLOAT, j < width ? load<f32>(from + j * bRow) : 0)
    }
  }
}

/** Transposes 4 x 4 floats. */
export function transpose4(from: usize, fromRow: usize, to: usize, toRow: usize): void {
  const r0 = v128.load(from), r1 = v128.load(from + fromRow)
  const r2 = v128.load(from + 2 * fromRow), r3 = v128.load(from + 3 * fromRow)
  const low01 = i32x4.shuffle(r0, r1, 0, 4, 1, 5), high01 = i32x4.shuffle(r0, r1, 2, 6, 3, 7)
  const low23 = i32x4.shuffle(r2, r3, 0, 4, 1, 5), high23 = i32x4.shuffle(r2, r3, 2, 6, 3, 7)
  v128.store(to, i64x2.shuffle(low01, low23, 0, 2))
  v128.store(to + toRow, i64x2.shuffle(low01, low23, 1, 3))
  v128.store(to + 2 * toRow, i64x2.shuffle(high01, high23, 0, 2))
  v128.store(to + 3 * toRow, i64x2.shuffle(high01, high23, 1, 3))
}
