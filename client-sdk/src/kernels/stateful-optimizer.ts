import {
  engine,
  getBackend,
  getKernel,
  variable as makeVariable,
  type NamedTensorMap,
  Optimizer,
  type Tensor,
  tidy,
  type Variable,
  zerosLike,
} from '@tensorflow/tfjs'

/** A tensor and the name of the variable or of the state that it belongs to. */
interface NamedTensor {
  readonly name: string
  readonly tensor: Tensor
}

/**
 * tfjs optimisers whose update of a variable is one pass over memory where the installed kernels have it, and the same
 * formula from common operations on every other backend. They go wherever tfjs takes an optimiser: `model.compile`,
 * `minimize`, `applyGradients`. New weights are always new tensors: what `getWeights` gave out before a step stays.
 */
export abstract class StatefulOptimizer extends Optimizer {
  #learningRate: number
  /** What the optimiser remembers of each variable, by the variable's name, in the order of `stateNames`. */
  #state = new Map<string, Variable[]>()

  constructor(learningRate: number) {
    super()
    this.#learningRate = learningRate
  }

  /** Names of the tensors remembered for one variable, as stock tfjs names them in a saved model. */
  protected abstract readonly stateNames: readonly string[]

  /** The new weights, then the new state, for one variable. */
  protected abstract update(weights: Tensor, gradient: Tensor, state: readonly Tensor[]): Tensor[]

  get learningRate(): number {
    return this.#learningRate
  }

  /** For a learning-rate plan: takes effect with the next step. */
  setLearningRate(learningRate: number): void {
    this.#learningRate = learningRate
  }

  override applyGradients(gradients: NamedTensorMap | NamedTensor[]): void {
    const named = Array.isArray(gradients)
      ? gradients
      : Object.entries(gradients).map(([name, tensor]) => ({ name, tensor: tensor as Tensor }))
    for (const { name, tensor: gradient } of named) {
      const weights = engine().registeredVariables[name]
      if (weights === undefined || gradient == null) continue // a variable that the loss does not depend on
      const state = this.#stateOf(weights)
      tidy(() => {
        const [next, ...nextState] = this.update(weights, gradient, state)
        weights.assign(next as Tensor)
        state.forEach((slot, i) => {
          slot.assign(nextState[i] as Tensor)
        })
      })
    }
    this.incrementIterations()
  }

  #stateOf(weights: Variable): Variable[] {
    let state = this.#state.get(weights.name)
    if (state === undefined) {
      state = this.stateNames.map(() => tidy(() => makeVariable(zerosLike(weights), false)))
      this.#state.set(weights.name, state)
    }
    return state
  }

  /** The kernel's outputs, or undefined where the active backend has no such kernel. */
  protected fused(kernel: string, inputs: Record<string, Tensor>, attrs: Record<string, number | boolean>): Tensor[] | undefined {
    if (getKernel(kernel, getBackend()) === undefined) return undefined
    const result = engine().runKernel(kernel, inputs, attrs) as Tensor | Tensor[]
    return Array.isArray(result) ? result : [result]
  }

  override dispose(): void {
    for (const slot of [...this.#state.values()].flat()) slot.dispose()
    this.#state.clear()
  }

  /** The step counter, then each kind of state for all variables, as tfjs saves it. */
  override async getWeights(): Promise<NamedTensor[]> {
    const state = this.stateNames.flatMap((kind, i) =>
      [...this.#state].map(([name, slots]) => ({ name: `${name}/${kind}`, tensor: slots[i] as Tensor })),
    )
    return [await this.saveIterations(), ...state]
  }

  override async setWeights(values: NamedTensor[]): Promise<void> {
    const state = await this.extractIterations(values)
    this.dispose()
    for (const { name, tensor } of state) {
      const variable = name.slice(0, name.lastIndexOf('/'))
      const slots = this.#state.get(variable) ?? []
      slots.push(makeVariable(tensor, false))
      this.#state.set(variable, slots)
    }
  }
}
