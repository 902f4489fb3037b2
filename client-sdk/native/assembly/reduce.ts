import { FLOAT, VECTOR } from './lanes'

/**
 * Terms added into one float32 before that partial sum joins the total. Two levels keep the rounding error near
 * sqrt(128) + sqrt(count / 128) units instead of sqrt(count): a bias gradient adds 25,000 terms and more.
 */
const BLOCK: u32 = 128

/** y[outer][inner] = scale * sum of x[outer][count][inner] over the middle axis. */
export function sum(x: usize, y: usize, outer: u32, count: u32, inner: u32, scale: f32): void {
  for (let i: u32 = 0; i < outer; i++, x += count * inner * FLOAT, y += inner * FLOAT) {
    if (inner === 1) {
      store<f32>(y, sumRow(x, count) * scale)
      continue
    }
    let column: u32 = 0
    for (; column + 4 <= inner; column += 4) {
      v128.store(y + column * FLOAT, f32x4.mul(sumColumns(x + column * FLOAT, count, inner * FLOAT), f32x4.splat(scale)))
    }
    for (; column < inner; column++) store<f32>(y + column * FLOAT, sumColumn(x + column * FLOAT, count, inner * FLOAT) * scale)
  }
}

function sumRow(x: usize, count: u32): f32 {
  let total = f32x4.splat(0)
  let i: u32 = 0
  while (i + 16 <= count) {
    const end = min(i + 16 * BLOCK, count - ((count - i) % 16))
    let a = f32x4.splat(0),
      b = a,
      c = a,
      d = a
    for (; i < end; i += 16, x += 4 * VECTOR) {
      a = f32x4.add(a, v128.load(x))
      b = f32x4.add(b, v128.load(x, 16))
      c = f32x4.add(c, v128.load(x, 32))
      d = f32x4.add(d, v128.load(x, 48))
    }
    total = f32x4.add(total, f32x4.add(f32x4.add(a, b), f32x4.add(c, d)))
  }
  let rest: f32 = 0
  for (; i < count; i++, x += FLOAT) rest += load<f32>(x)
  const low = f32x4.extract_lane(total, 0) + f32x4.extract_lane(total, 1)
  return low + (f32x4.extract_lane(total, 2) + f32x4.extract_lane(total, 3)) + rest
}

/** Sums of four neighbouring columns; `row`: bytes from row to row. */
function sumColumns(x: usize, count: u32, row: u32): v128 {
  let total = f32x4.splat(0)
  for (let i: u32 = 0; i < count; ) {
    const end = min(i + BLOCK, count)
    let even = f32x4.splat(0),
      odd = even
    for (; i + 2 <= end; i += 2, x += 2 * row) {
      even = f32x4.add(even, v128.load(x))
      odd = f32x4.add(odd, v128.load(x + row))
    }
    if (i < end) {
      even = f32x4.add(even, v128.load(x))
      x += row
      i++
    }
    total = f32x4.add(total, f32x4.add(even, odd))
  }
  return total
}

function sumColumn(x: usize, count: u32, row: u32): f32 {
  let total: f32 = 0
  for (let i: u32 = 0; i < count; ) {
    const end = min(i + BLOCK, count)
    let partial: f32 = 0
    for (; i < end; i++, x += row) partial += load<f32>(x)
    total += partial
  }
  return total
}
