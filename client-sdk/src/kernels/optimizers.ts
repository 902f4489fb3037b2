import type { Tensor } from '@tensorflow/tfjs'
import { StatefulOptimizer } from './stateful-optimizer.ts'

export interface SgdOptions {
  readonly learningRate: number
}

/** Stochastic gradient descent. */
export class Sgd extends StatefulOptimizer {
  static readonly className: string = 'SGD'
  protected override readonly stateNames = []

  constructor({ learningRate }: SgdOptions) {
    super(learningRate)
  }

  protected override update(weights: Tensor, gradient: Tensor): Tensor[] {
    const rate = this.learningRate
    return this.fused('SgdUpdate', { weights, gradient }, { rate }) ?? [weights.sub(gradient.mul(rate))]
  }

  override getConfig() {
    return { learningRate: this.learningRate }
  }
}

export interface MomentumOptions extends SgdOptions {
  /** Default 0.9. */
  readonly momentum?: number
  readonly useNesterov?: boolean
}

/** SGD with momentum, with Nesterov's look-ahead if asked. */
export class Momentum extends StatefulOptimizer {
  static readonly className: string = 'Momentum'
  protected override readonly stateNames = ['momentum']
  readonly #momentum: number
  readonly #nesterov: boolean

  constructor({ learningRate, momentum = 0.9, useNesterov = false }: MomentumOptions) {
    super(learningRate)
    this.#momentum = momentum
    this.#nesterov = useNesterov
  }

  protected override update(weights: Tensor, gradient: Tensor, [velocity]: readonly [Tensor]): Tensor[] {
    const [rate, momentum, nesterov] = [this.learningRate, this.#momentum, this.#nesterov]
    const fused = this.fused('MomentumUpdate', { weights, gradient, velocity }, { rate, momentum, nesterov })
    if (fused !== undefined) return fused
    const next = velocity.mul(momentum).add(gradient)
    return [weights.sub((nesterov ? gradient.add(next.mul(momentum)) : next).mul(rate)), next]
  }

  override getConfig() {
    return { learningRate: this.learningRate, momentum: this.#momentum, useNesterov: this.#nesterov }
  }
}

export interface AdamOptions {
  /** Default 0.001. */
  readonly learningRate?: number
  /** Default 0.9. */
  readonly beta1?: number
  /** Default 0.999. */
  readonly beta2?: number
  /** Default 1e-7, as in tfjs. */
  readonly epsilon?: number
}

/** Kingma and Ba 2015, Alg. 1. */
export class Adam extends StatefulOptimizer {
  static readonly className: string = 'Adam'
  protected override readonly stateNames = ['m', 'v']
  readonly #settings: { readonly beta1: number; readonly beta2: number; readonly epsilon: number }

  constructor({ learningRate = 0.001, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-7 }: AdamOptions = {}) {
    super(learningRate)
    this.#settings = { beta1, beta2, epsilon }
  }

  /** What a step leaves of a weight before the gradient moves it. */
  protected get keep(): number {
    return 1
  }

  protected override update(weights: Tensor, gradient: Tensor, [first, second]: readonly [Tensor, Tensor]): Tensor[] {
    const { beta1, beta2, epsilon } = this.#settings
    const [rate, keep, step] = [this.learningRate, this.keep, this.iterations + 1]
    const [correction1, correction2] = [1 - beta1 ** step, 1 - beta2 ** step]
    const attrs = { rate, beta1, beta2, correction1, correction2, epsilon, keep }
    const fused = this.fused('AdamUpdate', { weights, gradient, first, second }, attrs)
    if (fused !== undefined) return fused
    const nextFirst = first.mul(beta1).add(gradient.mul(1 - beta1))
    const nextSecond = second.mul(beta2).add(gradient.square().mul(1 - beta2))
    const scale = nextSecond.div(correction2).sqrt().add(epsilon)
    return [weights.mul(keep).sub(nextFirst.mul(rate / correction1).div(scale)), nextFirst, nextSecond]
  }

  override getConfig() {
    return { learningRate: this.learningRate, ...this.#settings }
  }
}

export interface AdamWOptions extends AdamOptions {
  /** Part of a weight that decays in a step, times the learning rate. Default 0.01. */
  readonly weightDecay?: number
}

/** Adam with decoupled weight decay: Loshchilov and Hutter 2019, Alg. 2. Every variable decays. */
export class AdamW extends Adam {
  static override readonly className: string = 'AdamW'
  readonly #weightDecay: number

  constructor({ weightDecay = 0.01, ...adam }: AdamWOptions = {}) {
    super(adam)
    this.#weightDecay = weightDecay
  }

  protected override get keep(): number {
    return 1 - this.learningRate * this.#weightDecay
  }

  override getConfig() {
    return { ...super.getConfig(), weightDecay: this.#weightDecay }
  }
}
