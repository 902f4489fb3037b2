/** 4 inputs, 3 classes, 15 parameters: rounds that cost next to nothing but the protocol. */
export const TOPOLOGY = JSON.stringify({
  class_name: 'Sequential',
  config: {
    name: 'tiny',
    layers: [
      {
        class_name: 'Dense',
        config: {
          name: 'out',
          units: 3,
          activation: 'softmax',
          use_bias: true,
          kernel_initializer: { class_name: 'Zeros', config: {} },
          bias_initializer: { class_name: 'Zeros', config: {} },
          trainable: true,
          batch_input_shape: [null, 4],
          dtype: 'float32',
        },
      },
    ],
  },
  keras_version: 'tfjs-layers 4.22.0',
  backend: 'tensor_flow.js',
})
export const PARAMETERS = 15
