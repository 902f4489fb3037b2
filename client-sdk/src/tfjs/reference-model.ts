import { Random } from '../training/random.ts'

/**
 * The reference CNN for 28 x 28 grey images in 10 classes, 693,962 parameters: Conv2D 32 3x3 relu, MaxPool 2x2, Flatten,
 * Dense 128 relu, Dense 10 softmax. Glorot-uniform kernels drawn from `seed`, zero biases: same seed, same weights.
 * Returns TensorFlow.js layers JSON, written out here so that tools can name the model without loading TensorFlow.js.
 */
export function referenceCnn(seed: number): string {
  const random = new Random(seed)
  const kernel = () => ({
    class_name: 'VarianceScaling',
    config: { scale: 1, mode: 'fan_avg', distribution: 'uniform', seed: random.uint32() },
  })
  const weights = () => ({
    kernel_initializer: kernel(),
    bias_initializer: { class_name: 'Zeros', config: {} },
    kernel_regularizer: null,
    bias_regularizer: null,
    activity_regularizer: null,
    kernel_constraint: null,
    bias_constraint: null,
  })
  const layers = [
    {
      class_name: 'Conv2D',
      config: {
        filters: 32,
        kernel_size: [3, 3],
        strides: [1, 1],
        padding: 'valid',
        data_format: 'channels_last',
        dilation_rate: [1, 1],
        activation: 'relu',
        use_bias: true,
        ...weights(),
        name: 'conv',
        trainable: true,
        batch_input_shape: [null, 28, 28, 1],
        dtype: 'float32',
      },
    },
    {
      class_name: 'MaxPooling2D',
      config: {
        pool_size: [2, 2],
        padding: 'valid',
        strides: [2, 2],
        data_format: 'channels_last',
        name: 'pool',
        trainable: true,
      },
    },
    { class_name: 'Flatten', config: { name: 'flatten', trainable: true } },
    dense('hidden', 128, 'relu', weights()),
    dense('output', 10, 'softmax', weights()),
  ]
  return JSON.stringify({
    class_name: 'Sequential',
    config: { name: 'reference_cnn', layers },
    keras_version: 'tfjs-layers 4.22.0',
    backend: 'tensor_flow.js',
  })
}

function dense(name: string, units: number, activation: string, weights: object): object {
  return { class_name: 'Dense', config: { units, activation, use_bias: true, ...weights, name, trainable: true } }
}
