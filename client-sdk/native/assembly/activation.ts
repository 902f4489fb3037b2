import { FLOAT, VECTOR } from './lanes'

/** y[rows][columns] = x + bias, then with `relu` no less than 0: one pass, which may be in place. */
export function addBias(x: usize, bias: usize, y: usize, rows: u32, columns: u32, relu: bool): void {
  // pmax gives its second operand only where the first is less: minus infinity changes nothing, and NaN stays.
  const lowest: f32 = relu ? 0 : -Infinity
  const least = f32x4.splat(lowest)
  for (let row: u32 = 0; row < rows; row++) {
    let b = bias
    let column: u32 = 0
    for (; column + 4 <= columns; column += 4, x += VECTOR, b += VECTOR, y += VECTOR) {
      v128.store(y, f32x4.pmax(f32x4.add(v128.load(x), v128.load(b)), least))
    }
    for (; column < columns; column++, x += FLOAT, b += FLOAT, y += FLOAT) {
      const sum = load<f32>(x) + load<f32>(b)
      store<f32>(y, sum < lowest ? lowest : sum)
    }
  }
}

/** dx = dy where y > 0, else 0: the gradient of ReLU from its output, in one pass instead of tfjs's step, cast and product. */
export function reluGrad(y: usize, dy: usize, dx: usize, count: u32): void {
  const zero = f32x4.splat(0)
  let i: u32 = 0
  for (; i + 4 <= count; i += 4, y += VECTOR, dy += VECTOR, dx += VECTOR) {
    v128.store(dx, v128.and(v128.load(dy), f32x4.gt(v128.load(y), zero)))
  }
  for (; i < count; i++, y += FLOAT, dy += FLOAT, dx += FLOAT) store<f32>(dx, load<f32>(y) > 0 ? load<f32>(dy) : 0)
}
