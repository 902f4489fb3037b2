import * as tf from '@tensorflow/tfjs'

/**
 * The proximal term of FedProx, mu/2 |w - w_global|^2: what it adds to the gradient is mu (w - w_global) (Li et al. 2020,
 * "Federated Optimization in Heterogeneous Networks", eq. 2). Made from a model whose weights are the global ones; dispose
 * of it after the round.
 */
export class ProximalTerm {
  readonly #weights: readonly tf.Variable[]
  readonly #global: readonly tf.Tensor[]
  readonly #mu: number

  constructor(model: tf.LayersModel, mu: number) {
    this.#weights = model.trainableWeights.map((weight) => weight.read() as tf.Variable)
    this.#global = this.#weights.map((weight) => tf.keep(weight.clone()))
    this.#mu = mu
  }

  /** Gradients by the name of their variable, each with its part of the term. Call it inside `tf.tidy`. */
  addedTo(gradients: tf.NamedTensorMap): tf.NamedTensorMap {
    const drift = (i: number) => (this.#weights[i] as tf.Variable).sub(this.#global[i] as tf.Tensor).mul(this.#mu)
    return Object.fromEntries(
      this.#weights.flatMap(({ name }, i) => {
        const gradient = gradients[name]
        return gradient === undefined ? [] : [[name, gradient.add(drift(i))]]
      }),
    )
  }

  dispose(): void {
    tf.dispose([...this.#global])
  }
}
