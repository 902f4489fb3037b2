// biome-ignore-all format: parameters and arguments stand in groups that belong together
import { FLOAT, PANEL, VECTOR } from './lanes'
import { packPanels, packTransposed, tile } from './tile'

/**
 * A block of KC rows and NC columns of b (512 KB, second-level cache) is packed once and used for every row of a; four
 * rows of a (4 KB, first-level cache) pass along it. Rows outside and columns inside write c in the order of its memory:
 * the other order, with a panel of b kept in the first level, is a fifth slower where c is large and k small, as in
 * the weight gradient of a dense layer.
 */
const KC: u32 = 256
const NC: u32 = 512

export const GEMM_SCRATCH: u32 = KC * NC * FLOAT + KC * VECTOR

/**
 * c[m][n] = a * b for row-major matrices, `aRow`, `bRow` and `cRow` bytes from row to row. With `aTransposed` a is
 * stored as [k][m], with `bTransposed` b as [n][k]. `scratch`: GEMM_SCRATCH bytes.
 */
export function gemm(
  m: u32, n: u32, k: u32,
  a: usize, aRow: usize, aTransposed: bool,
  b: usize, bRow: usize, bTransposed: bool,
  c: usize, cRow: usize, scratch: usize,
): void {
  if (k === 0) for (let i: u32 = 0; i < m; i++) memory.fill(c + i * cRow, 0, n * FLOAT)
  const strip = scratch + KC * NC * FLOAT
  for (let n0: u32 = 0; n0 < n; n0 += NC) {
    const nc = min(NC, n - n0)
    for (let k0: u32 = 0; k0 < k; k0 += KC) {
      const kc = min(KC, k - k0)
      if (bTransposed) packTransposed(b + n0 * bRow + k0 * FLOAT, bRow, kc, nc, scratch, kc * PANEL)
      else packPanels(b + k0 * bRow + n0 * FLOAT, bRow, kc, nc, scratch, kc * PANEL)
      for (let i: u32 = 0; i < m; i += 4) {
        const rows = min<u32>(4, m - i)
        const to = c + i * cRow + n0 * FLOAT
        if (aTransposed) {
          packStrip(a + k0 * aRow + i * FLOAT, aRow, kc, rows, strip)
          multiplyRows(rows, nc, kc, strip, FLOAT, VECTOR, scratch, to, cRow, k0 > 0)
        } else {
          multiplyRows(rows, nc, kc, a + i * aRow + k0 * FLOAT, aRow, FLOAT, scratch, to, cRow, k0 > 0)
        }
      }
    }
  }
}

/** Copies `rows` columns of a, stored as [k][m], to to[k][4], so that a step to the next k stays in the same cache line. */
function packStrip(a: usize, aRow: usize, k: u32, rows: u32, to: usize): void {
  for (let j: u32 = 0; j < k; j++, a += aRow, to += VECTOR) {
    if (rows === 4) v128.store(to, v128.load(a))
    else for (let i: u32 = 0; i < 4; i++) store<f32>(to + i * FLOAT, i < rows ? load<f32>(a + i * FLOAT) : 0)
  }
}

/** Up to four rows of a, `aRow` bytes apart with `aStep` bytes from one k to the next, times all panels of the block. */
function multiplyRows(
  rows: u32, n: u32, k: u32, a: usize, aRow: usize, aStep: usize, panels: usize, c: usize, cRow: usize, accumulate: bool,
): void {
  const last = rows - 1
  const a1 = a + min<u32>(1, last) * aRow, a2 = a + min<u32>(2, last) * aRow, a3 = a + last * aRow
  for (let j: u32 = 0; j < n; j += 8, panels += k * PANEL, c += PANEL) {
    tile(rows, min<u32>(8, n - j), 1, k, a, a1, a2, a3, aStep, 0, panels, PANEL, c, cRow, accumulate)
  }
}
