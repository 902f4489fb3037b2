import { FLOAT, VECTOR } from './lanes'

/** y[segments][width]: row i of x is added to row ids[i] of y; ids outside [0, segments) are left out. */
export function segmentSum(x: usize, ids: usize, y: usize, rows: u32, width: u32, segments: i32): void {
  memory.fill(y, 0, segments * width * FLOAT)
  for (let row: u32 = 0; row < rows; row++, x += width * FLOAT) {
    const id = load<i32>(ids + row * FLOAT)
    if (id < 0 || id >= segments) continue
    let from = x,
      to = y + id * width * FLOAT
    let i: u32 = 0
    for (; i + 4 <= width; i += 4, from += VECTOR, to += VECTOR) v128.store(to, f32x4.add(v128.load(to), v128.load(from)))
    for (; i < width; i++, from += FLOAT, to += FLOAT) store<f32>(to, load<f32>(to) + load<f32>(from))
  }
}
