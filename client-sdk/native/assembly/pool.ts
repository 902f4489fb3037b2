// biome-ignore-all format: parameters and arguments stand in groups that belong together
import { FLOAT, VECTOR } from './lanes'

/**
 * dx of max pooling over NHWC: each dy goes to the first largest value of its window, in row order. A value that is not
 * above minus infinity (NaN too) never wins, as on the cpu backend. dx needs no zeroing before.
 */
export function maxPoolGrad(
  x: usize, dy: usize, dx: usize,
  n: u32, height: u32, width: u32, channels: u32, kh: u32, kw: u32,
  sh: u32, sw: u32, top: i32, left: i32, oh: u32, ow: u32,
): void {
  const pixel = channels * FLOAT
  const twoByTwo = kh === 2 && kw === 2 && sh === 2 && sw === 2 && top === 0 && left === 0 && oh * 2 <= height && ow * 2 <= width
  if (!twoByTwo || oh * 2 < height || ow * 2 < width) memory.fill(dx, 0, n * height * width * pixel)
  for (let image: u32 = 0; image < n; image++, x += height * width * pixel, dx += height * width * pixel) {
    for (let r: u32 = 0; r < oh; r++) {
      const r0 = <i32>(r * sh) - top
      const rowFrom = max(r0, 0), rowTo = min(r0 + <i32>kh, <i32>height)
      for (let c: u32 = 0; c < ow; c++, dy += pixel) {
        const c0 = <i32>(c * sw) - left
        if (twoByTwo) {
          twoByTwoWindow((r0 * width + c0) * pixel, width * pixel, channels, x, dy, dx)
        } else {
          window(rowFrom, rowTo, max(c0, 0), min(c0 + <i32>kw, <i32>width), width, channels, x, dy, dx)
        }
      }
    }
  }
}

/** Any window: looks for the place of the largest value channel by channel and adds dy there, as windows may overlap. */
function window(rowFrom: i32, rowTo: i32, columnFrom: i32, columnTo: i32, width: u32, channels: u32, x: usize, dy: usize, dx: usize): void {
  for (let channel: u32 = 0; channel < channels; channel++) {
    let largest: f32 = -Infinity
    let at: u32 = u32.MAX_VALUE
    for (let row = rowFrom; row < rowTo; row++) {
      for (let column = columnFrom; column < columnTo; column++) {
        const offset = ((row * width + column) * channels + channel) * FLOAT
        const value = load<f32>(x + offset)
        if (value > largest) {
          largest = value
          at = offset
        }
      }
    }
    if (at !== u32.MAX_VALUE) store<f32>(dx + at, load<f32>(dx + at) + load<f32>(dy + channel * FLOAT))
  }
}

/** The usual 2 x 2 window with stride 2, four channels at once: windows do not overlap, so all four pixels are written. */
function twoByTwoWindow(offset: u32, row: u32, channels: u32, x: usize, dy: usize, dx: usize): void {
  const pixel = channels * FLOAT
  x += offset
  dx += offset
  let channel: u32 = 0
  for (; channel + 4 <= channels; channel += 4, x += VECTOR, dx += VECTOR, dy += VECTOR) {
    const a = v128.load(x), b = v128.load(x + pixel), c = v128.load(x + row), d = v128.load(x + row + pixel)
    const error = v128.load(dy)
    const lowest = f32x4.splat(-Infinity)
    const aWins = f32x4.gt(a, lowest)
    let largest = v128.bitselect(a, lowest, aWins)
    const bWins = f32x4.gt(b, largest)
    largest = v128.bitselect(b, largest, bWins)
    const cWins = f32x4.gt(c, largest)
    largest = v128.bitselect(c, largest, cWins)
    const dWins = f32x4.gt(d, largest)
    const cOrD = v128.or(cWins, dWins)
    v128.store(dx, v128.and(error, v128.andnot(aWins, v128.or(bWins, cOrD))))
    v128.store(dx + pixel, v128.and(error, v128.andnot(bWins, cOrD)))
    v128.store(dx + row, v128.and(error, v128.andnot(cWins, dWins)))
    v128.store(dx + row + pixel, v128.and(error, dWins))
  }
  for (; channel < channels; channel++, x += FLOAT, dx += FLOAT, dy += FLOAT) {
    let largest: f32 = -Infinity
    let at: u32 = u32.MAX_VALUE
    for (let corner: u32 = 0; corner < 4; corner++) {
      const where = (corner / 2) * row + (corner % 2) * pixel
      store<f32>(dx + where, 0)
      const value = load<f32>(x + where)
      if (value > largest) {
        largest = value
        at = where
      }
    }
    if (at !== u32.MAX_VALUE) store<f32>(dx + at, load<f32>(dy))
  }
}

/** dx of average pooling: dy / (kh * kw) for every pixel of the window, the divisor that tfjs's cpu backend takes at borders too. */
export function avgPoolGrad(
  dy: usize, dx: usize,
  n: u32, height: u32, width: u32, channels: u32, kh: u32, kw: u32,
  sh: u32, sw: u32, top: i32, left: i32, oh: u32, ow: u32,
): void {
  const pixel = channels * FLOAT
  const share = <f32>1 / <f32>(kh * kw)
  memory.fill(dx, 0, n * height * width * pixel)
  for (let image: u32 = 0; image < n; image++, dx += height * width * pixel) {
    for (let r: u32 = 0; r < oh; r++) {
      const r0 = <i32>(r * sh) - top
      const rowTo = min(r0 + <i32>kh, <i32>height)
      for (let c: u32 = 0; c < ow; c++, dy += pixel) {
        const c0 = <i32>(c * sw) - left
        const columnTo = min(c0 + <i32>kw, <i32>width)
        for (let row = max(r0, 0); row < rowTo; row++) {
          for (let column = max(c0, 0); column < columnTo; column++) {
            addScaled(dx + (row * width + column) * pixel, dy, share, channels)
          }
        }
      }
    }
  }
}

function addScaled(to: usize, from: usize, factor: f32, count: u32): void {
  let i: u32 = 0
  const factors = f32x4.splat(factor)
  for (; i + 4 <= count; i += 4, to += VECTOR, from += VECTOR) {
    v128.store(to, f32x4.add(v128.load(to), f32x4.mul(factors, v128.load(from))))
  }
  for (; i < count; i++, to += FLOAT, from += FLOAT) store<f32>(to, load<f32>(to) + factor * load<f32>(from))
}
