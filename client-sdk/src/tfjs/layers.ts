import * as tf from '@tensorflow/tfjs'

/** Every layer of the model, those of models inside it included. */
export function layersOf(model: { readonly layers: readonly tf.layers.Layer[] }): tf.layers.Layer[] {
  return model.layers.flatMap((layer) => (layer instanceof tf.LayersModel ? layersOf(layer) : [layer]))
}
