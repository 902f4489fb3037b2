import { Random } from '@fedweave/client/training'

/** A layer as TensorFlow.js layers JSON holds it, its initialiser still to be seeded. */
export type Layer = (seed: () => number) => { readonly class_name: string; readonly config: Readonly<Record<string, unknown>> }

/**
 * TensorFlow.js layers JSON of a stack of layers, written out so that a scenario need not load TensorFlow.js. Kernels are
 * Glorot-uniform, drawn from `seed`; biases are zero: same seed, same weights.
 */
export function sequential(name: string, inputShape: readonly number[], layers: readonly Layer[], seed: number): string {
  const random = new Random(seed)
  const [first, ...others] = layers.map((layer) => layer(() => random.uint32()))
  if (first === undefined) throw new Error('a model has one layer at least')
  const input = { batch_input_shape: [null, ...inputShape], dtype: 'float32' }
  return JSON.stringify({
    class_name: 'Sequential',
    config: { name, layers: [{ ...first, config: { ...first.config, ...input } }, ...others] },
    keras_version: 'tfjs-layers 4.22.0',
    backend: 'tensor_flow.js',
  })
}

export function dense(name: string, units: number, activation: string): Layer {
  return (seed) => ({
    class_name: 'Dense',
    config: { units, activation, use_bias: true, ...initialisers(seed), name, trainable: true },
  })
}

/** Convolution whose output is as large as its input. */
export function conv(name: string, filters: number, side: number): Layer {
  return (seed) => ({
    class_name: 'Conv2D',
    config: {
      filters,
      kernel_size: [side, side],
      strides: [1, 1],
      padding: 'same',
      data_format: 'channels_last',
      dilation_rate: [1, 1],
      activation: 'relu',
      use_bias: true,
      ...initialisers(seed),
      name,
      trainable: true,
    },
  })
}

export function pool(name: string): Layer {
  const config = { pool_size: [2, 2], padding: 'valid', strides: [2, 2], data_format: 'channels_last', name, trainable: true }
  return () => ({ class_name: 'MaxPooling2D', config })
}

export function flatten(): Layer {
  return () => ({ class_name: 'Flatten', config: { name: 'flatten', trainable: true } })
}

function initialisers(seed: () => number): object {
  const kernel = { scale: 1, mode: 'fan_avg', distribution: 'uniform', seed: seed() }
  return {
    kernel_initializer: { class_name: 'VarianceScaling', config: kernel },
    bias_initializer: { class_name: 'Zeros', config: {} },
    kernel_regularizer: null,
    bias_regularizer: null,
    activity_regularizer: null,
    kernel_constraint: null,
    bias_constraint: null,
  }
}
