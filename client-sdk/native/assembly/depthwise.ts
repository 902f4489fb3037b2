// biome-ignore-all format: parameters and arguments stand in groups that belong together
import { FLOAT, VECTOR } from './lanes'

/**
 * The gradients of a depthwise convolution over NHWC tensors: output channel k belongs to input channel k / multiplier.
 * Each tap's range of pixels inside the image is worked out first, so that the inner loops test for no border.
 */

/** dw[kh][kw][channels][multiplier]. */
export function depthwiseBackpropFilter(
  x: usize, dy: usize, dw: usize,
  n: u32, height: u32, width: u32, channels: u32, kh: u32, kw: u32, multiplier: u32,
  sh: u32, sw: u32, dh: u32, dilationWidth: u32, top: i32, left: i32, oh: u32, ow: u32,
): void {
  const outs = channels * multiplier
  memory.fill(dw, 0, kh * kw * outs * FLOAT)
  for (let image: u32 = 0; image < n; image++, x += height * width * channels * FLOAT, dy += oh * ow * outs * FLOAT) {
    for (let tap: u32 = 0; tap < kh * kw; tap++) {
      const r = <i32>((tap / kw) * dh) - top, c = <i32>((tap % kw) * dilationWidth) - left
      const rows = range(r, sh, height, oh), columns = range(c, sw, width, ow)
      for (let row = first(rows); row < end(rows); row++) {
        for (let column = first(columns); column < end(columns); column++) {
          const pixel = x + ((row * sh + r) * width + column * sw + c) * channels * FLOAT
          addProducts(dw + tap * outs * FLOAT, pixel, multiplier, dy + (row * ow + column) * outs * FLOAT, outs)
        }
      }
    }
  }
}

/** dx[n][height][width][channels]. */
export function depthwiseBackpropInput(
  dy: usize, f: usize, dx: usize,
  n: u32, height: u32, width: u32, channels: u32, kh: u32, kw: u32, multiplier: u32,
  sh: u32, sw: u32, dh: u32, dilationWidth: u32, top: i32, left: i32, oh: u32, ow: u32,
): void {
  const outs = channels * multiplier
  memory.fill(dx, 0, n * height * width * channels * FLOAT)
  for (let image: u32 = 0; image < n; image++, dx += height * width * channels * FLOAT, dy += oh * ow * outs * FLOAT) {
    for (let tap: u32 = 0; tap < kh * kw; tap++) {
      const r = <i32>((tap / kw) * dh) - top, c = <i32>((tap % kw) * dilationWidth) - left
      const rows = range(r, sh, height, oh), columns = range(c, sw, width, ow)
      for (let row = first(rows); row < end(rows); row++) {
        for (let column = first(columns); column < end(columns); column++) {
          const pixel = dx + ((row * sh + r) * width + column * sw + c) * channels * FLOAT
          gatherProducts(pixel, multiplier, f + tap * outs * FLOAT, dy + (row * ow + column) * outs * FLOAT, outs)
        }
      }
    }
  }
}

/** The outputs o in [0, outs) with 0 <= o * stride + shift < size, as first | end << 32: AssemblyScript has no tuples. */
function range(shift: i32, stride: u32, size: u32, outs: u32): u64 {
  const from: u32 = shift >= 0 ? 0 : (<u32>-shift + stride - 1) / stride
  const room = <i32>size - shift
  const to: u32 = room <= 0 ? 0 : min((<u32>room + stride - 1) / stride, outs)
  return <u64>from | (<u64>to << 32)
}

function first(range: u64): u32 {
  return <u32>range
}

function end(range: u64): u32 {
  return <u32>(range >> 32)
}

/** to[k] += x[k / multiplier] * dy[k] */
function addProducts(to: usize, x: usize, multiplier: u32, dy: usize, outs: u32): void {
  let k: u32 = 0
  if (multiplier === 1) {
    for (; k + 4 <= outs; k += 4, to += VECTOR, x += VECTOR, dy += VECTOR) {
      v128.store(to, f32x4.add(v128.load(to), f32x4.mul(v128.load(x), v128.load(dy))))
    }
    for (; k < outs; k++, to += FLOAT, x += FLOAT, dy += FLOAT) store<f32>(to, load<f32>(to) + load<f32>(x) * load<f32>(dy))
    return
  }
  for (; k < outs; k += multiplier, x += FLOAT) {
    const value = load<f32>(x)
    for (let m: u32 = 0; m < multiplier; m++, to += FLOAT, dy += FLOAT) store<f32>(to, load<f32>(to) + value * load<f32>(dy))
  }
}

/** to[k / multiplier] += f[k] * dy[k] */
function gatherProducts(to: usize, multiplier: u32, f: usize, dy: usize, outs: u32): void {
  let k: u32 = 0
  if (multiplier === 1) {
    for (; k + 4 <= outs; k += 4, to += VECTOR, f += VECTOR, dy += VECTOR) {
      v128.store(to, f32x4.add(v128.load(to), f32x4.mul(v128.load(f), v128.load(dy))))
    }
  }
  for (; k < outs; k += multiplier, to += FLOAT) {
    let value: f32 = load<f32>(to)
    for (let m: u32 = 0; m < multiplier; m++, f += FLOAT, dy += FLOAT) value += load<f32>(f) * load<f32>(dy)
    store<f32>(to, value)
  }
}
