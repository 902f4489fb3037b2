// biome-ignore-all format: parameters and arguments stand in groups that belong together
import { FLOAT, VECTOR } from './lanes'

/**
 * Optimiser updates in one pass each. New weights and moments go to fresh arrays: a tensor that was handed out before
 * the step keeps its values.
 */

/** next = w - rate * g */
export function sgd(w: usize, g: usize, next: usize, count: u32, rate: f32): void {
  const rates = f32x4.splat(rate)
  let i: u32 = 0
  for (; i + 4 <= count; i += 4, w += VECTOR, g += VECTOR, next += VECTOR) {
    v128.store(next, f32x4.sub(v128.load(w), f32x4.mul(rates, v128.load(g))))
  }
  for (; i < count; i++, w += FLOAT, g += FLOAT, next += FLOAT) store<f32>(next, load<f32>(w) - rate * load<f32>(g))
}

/** nextM = momentum * m + g; next = w - rate * nextM, or with `nesterov` w - rate * (g + momentum * nextM). */
export function momentum(
  w: usize, g: usize, m: usize, next: usize, nextM: usize,
  count: u32, rate: f32, momentum: f32, nesterov: bool,
): void {
  const rates = f32x4.splat(rate), momenta = f32x4.splat(momentum)
  let i: u32 = 0
  for (; i + 4 <= count; i += 4, w += VECTOR, g += VECTOR, m += VECTOR, next += VECTOR, nextM += VECTOR) {
    const gradient = v128.load(g)
    const velocity = f32x4.add(f32x4.mul(momenta, v128.load(m)), gradient)
    v128.store(nextM, velocity)
    const step = nesterov ? f32x4.add(gradient, f32x4.mul(momenta, velocity)) : velocity
    v128.store(next, f32x4.sub(v128.load(w), f32x4.mul(rates, step)))
  }
  for (; i < count; i++, w += FLOAT, g += FLOAT, m += FLOAT, next += FLOAT, nextM += FLOAT) {
    const gradient = load<f32>(g)
    const velocity = momentum * load<f32>(m) + gradient
    store<f32>(nextM, velocity)
    store<f32>(next, load<f32>(w) - rate * (nesterov ? gradient + momentum * velocity : velocity))
  }
}

/**
 * Kingma and Ba 2015, Alg. 1, with the decoupled decay of Loshchilov and Hutter 2019, Alg. 2:
 *
 *     nextM = beta1 * m + (1 - beta1) * g,   nextV = beta2 * v + (1 - beta2) * g * g
 *     next = keep * w - rate * (nextM / correction1) / (sqrt(nextV / correction2) + epsilon)
 *
 * `keep` is 1 - rate * decay (1 for plain Adam), `correction` 1 - beta^step, worked out in float64 by the caller.
 */
export function adam(
  w: usize, g: usize, m: usize, v: usize, next: usize, nextM: usize, nextV: usize,
  count: u32, rate: f32, beta1: f32, beta2: f32, correction1: f32, correction2: f32, epsilon: f32, keep: f32,
): void {
  const one: f32 = 1
  const stepSize = rate / correction1, secondScale = one / correction2
  const beta1s = f32x4.splat(beta1), rest1 = f32x4.splat(one - beta1)
  const beta2s = f32x4.splat(beta2), rest2 = f32x4.splat(one - beta2)
  const stepSizes = f32x4.splat(stepSize), secondScales = f32x4.splat(secondScale)
  const epsilons = f32x4.splat(epsilon), keeps = f32x4.splat(keep)
  let offset: usize = 0
  const end = (count & ~3) * FLOAT
  for (; offset < end; offset += VECTOR) {
    const gradient = v128.load(g + offset)
    const first = f32x4.add(f32x4.mul(beta1s, v128.load(m + offset)), f32x4.mul(rest1, gradient))
    const second = f32x4.add(f32x4.mul(beta2s, v128.load(v + offset)), f32x4.mul(rest2, f32x4.mul(gradient, gradient)))
    v128.store(nextM + offset, first)
    v128.store(nextV + offset, second)
    const scale = f32x4.add(f32x4.sqrt(f32x4.mul(secondScales, second)), epsilons)
    const step = f32x4.div(f32x4.mul(stepSizes, first), scale)
    v128.store(next + offset, f32x4.sub(f32x4.mul(keeps, v128.load(w + offset)), step))
  }
  for (; offset < count * FLOAT; offset += FLOAT) {
    const gradient = load<f32>(g + offset)
    const first = beta1 * load<f32>(m + offset) + (one - beta1) * gradient
    const second = beta2 * load<f32>(v + offset) + (one - beta2) * gradient * gradient
    store<f32>(nextM + offset, first)
    store<f32>(nextV + offset, second)
    const step = (stepSize * first) / (sqrt<f32>(secondScale * second) + epsilon)
    store<f32>(next + offset, keep * load<f32>(w + offset) - step)
  }
}
