// biome-ignore-all format: the formulas stand as in the paper

/**
 * The one-dimensional transforms of Winograd's convolution with the six points 0, 1, -1, 2, -2 and infinity: they give 4
 * outputs of a filter of 3 taps, or 2 outputs of one of 5 (Lavin and Gray 2016, arXiv:1509.09308, F(4,3); Toom and Cook for
 * F(2,5)). The data transform is the same for both. Each function reads vectors `fromStep` bytes apart and writes vectors
 * `toStep` bytes apart, four channels in each.
 */

/** B^T: 6 values of the data, or of an error, to 6 points. */
export function dataTransform(from: usize, fromStep: u32, to: usize, toStep: u32): void {
  const d0 = v128.load(from), d1 = v128.load(from + fromStep), d2 = v128.load(from + 2 * fromStep)
  const d3 = v128.load(from + 3 * fromStep), d4 = v128.load(from + 4 * fromStep), d5 = v128.load(from + 5 * fromStep)
  const two = f32x4.splat(2), four = f32x4.splat(4), five = f32x4.splat(5)
  const even1 = f32x4.sub(d4, f32x4.mul(four, d2)), odd1 = f32x4.sub(d3, f32x4.mul(four, d1))
  const even2 = f32x4.sub(d4, d2), odd2 = f32x4.mul(two, f32x4.sub(d3, d1))
  v128.store(to, f32x4.add(f32x4.sub(f32x4.mul(four, d0), f32x4.mul(five, d2)), d4))
  v128.store(to + toStep, f32x4.add(even1, odd1))
  v128.store(to + 2 * toStep, f32x4.sub(even1, odd1))
  v128.store(to + 3 * toStep, f32x4.add(even2, odd2))
  v128.store(to + 4 * toStep, f32x4.sub(even2, odd2))
  v128.store(to + 5 * toStep, f32x4.add(f32x4.sub(f32x4.mul(four, d1), f32x4.mul(five, d3)), d5))
}

/** A^T: 6 points to the 4 outputs of a filter of 3 taps, or to the 2 of one of 5. */
export function outputTransform(taps: u32, from: usize, fromStep: u32, to: usize, toStep: u32): void {
  const p0 = v128.load(from), p5 = v128.load(from + 5 * fromStep)
  const p1 = v128.load(from + fromStep), p2 = v128.load(from + 2 * fromStep)
  const p3 = v128.load(from + 3 * fromStep), p4 = v128.load(from + 4 * fromStep)
  const sum1 = f32x4.add(p1, p2), difference1 = f32x4.sub(p1, p2)
  const sum2 = f32x4.add(p3, p4), difference2 = f32x4.sub(p3, p4)
  v128.store(to, f32x4.add(p0, f32x4.add(sum1, sum2)))
  const y1 = f32x4.add(difference1, f32x4.mul(f32x4.splat(2), difference2))
  if (taps === 5) {
    v128.store(to + toStep, f32x4.add(y1, p5))
    return
  }
  v128.store(to + toStep, y1)
  v128.store(to + 2 * toStep, f32x4.add(sum1, f32x4.mul(f32x4.splat(4), sum2)))
  v128.store(to + 3 * toStep, f32x4.add(f32x4.add(difference1, f32x4.mul(f32x4.splat(8), difference2)), p5))
}

/** A: the errors of 4 outputs (3 taps) or of 2 (5 taps) to 6 points; the adjoint of outputTransform. */
export function errorTransform(taps: u32, from: usize, fromStep: u32, to: usize, toStep: u32): void {
  const y0 = v128.load(from), y1 = v128.load(from + fromStep)
  const two = f32x4.splat(2)
  let even1 = y0, odd1 = y1, even2 = y0, odd2 = f32x4.mul(two, y1), last = y1
  if (taps === 3) {
    const y2 = v128.load(from + 2 * fromStep)
    last = v128.load(from + 3 * fromStep)
    even1 = f32x4.add(y0, y2)
    odd1 = f32x4.add(y1, last)
    even2 = f32x4.add(y0, f32x4.mul(f32x4.splat(4), y2))
    odd2 = f32x4.add(odd2, f32x4.mul(f32x4.splat(8), last))
  }
  v128.store(to, y0)
  v128.store(to + toStep, f32x4.add(even1, odd1))
  v128.store(to + 2 * toStep, f32x4.sub(even1, odd1))
  v128.store(to + 3 * toStep, f32x4.add(even2, odd2))
  v128.store(to + 4 * toStep, f32x4.sub(even2, odd2))
  v128.store(to + 5 * toStep, last)
}

/** G: the 3 or 5 taps of a filter to 6 points. */
export function filterTransform(taps: u32, from: usize, fromStep: u32, to: usize, toStep: u32): void {
  const g0 = v128.load(from), g1 = v128.load(from + fromStep), g2 = v128.load(from + 2 * fromStep)
  const four = f32x4.splat(4)
  let even1 = f32x4.add(g0, g2), odd1 = g1
  let even2 = f32x4.add(g0, f32x4.mul(four, g2)), odd2 = f32x4.add(g1, g1)
  let last = g2
  if (taps === 5) {
    const g3 = v128.load(from + 3 * fromStep)
    last = v128.load(from + 4 * fromStep)
    even1 = f32x4.add(even1, last)
    odd1 = f32x4.add(odd1, g3)
    even2 = f32x4.add(even2, f32x4.mul(f32x4.splat(16), last))
    odd2 = f32x4.add(odd2, f32x4.mul(f32x4.splat(8), g3))
  }
  const sixth = f32x4.splat(<f32>(-1.0 / 6.0)), part = f32x4.splat(<f32>(1.0 / 24.0))
  v128.store(to, f32x4.mul(f32x4.splat(0.25), g0))
  v128.store(to + toStep, f32x4.mul(sixth, f32x4.add(even1, odd1)))
  v128.store(to + 2 * toStep, f32x4.mul(sixth, f32x4.sub(even1, odd1)))
  v128.store(to + 3 * toStep, f32x4.mul(part, f32x4.add(even2, odd2)))
  v128.store(to + 4 * toStep, f32x4.mul(part, f32x4.sub(even2, odd2)))
  v128.store(to + 5 * toStep, last)
}

/** G^T: 6 points to the gradients of 3 or 5 taps; the adjoint of filterTransform. */
export function filterGradTransform(taps: u32, from: usize, fromStep: u32, to: usize, toStep: u32): void {
  const z1 = v128.load(from + fromStep), z2 = v128.load(from + 2 * fromStep)
  const z3 = v128.load(from + 3 * fromStep), z4 = v128.load(from + 4 * fromStep), z5 = v128.load(from + 5 * fromStep)
  const sixth = f32x4.splat(<f32>(-1.0 / 6.0)), part = f32x4.splat(<f32>(1.0 / 24.0))
  const even1 = f32x4.mul(sixth, f32x4.add(z1, z2)), odd1 = f32x4.mul(sixth, f32x4.sub(z1, z2))
  const even2 = f32x4.mul(part, f32x4.add(z3, z4)), odd2 = f32x4.mul(part, f32x4.sub(z3, z4))
  const g2 = f32x4.add(even1, f32x4.mul(f32x4.splat(4), even2))
  v128.store(to, f32x4.add(f32x4.mul(f32x4.splat(0.25), v128.load(from)), f32x4.add(even1, even2)))
  v128.store(to + toStep, f32x4.add(odd1, f32x4.add(odd2, odd2)))
  if (taps === 3) {
    v128.store(to + 2 * toStep, f32x4.add(g2, z5))
    return
  }
  v128.store(to + 2 * toStep, g2)
  v128.store(to + 3 * toStep, f32x4.add(odd1, f32x4.mul(f32x4.splat(8), odd2)))
  v128.store(to + 4 * toStep, f32x4.add(f32x4.add(even1, f32x4.mul(f32x4.splat(16), even2)), z5))
}

