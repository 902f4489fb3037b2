import { FedweaveError, isRegressor, type ModelSpec } from '@fedweave/aggregator'

interface Layer {
  class_name: string
  config: { name: string; activation?: string }
}

interface Topology {
  class_name: string
  config: { layers: Layer[]; output_layers?: [name: string, node: number, tensor: number][] }
}

/**
 * What is trained of a model: a classifier up to its logits, a regressor as it is. Throws `FL_MODEL_UNSUPPORTED` naming the
 * last layer where a classifier does not end in softmax, or a regressor does, whose one output would always be 1.
 */
export function trainedTopology(spec: Pick<ModelSpec, 'topology' | 'classes'>): string {
  if (!isRegressor(spec)) return logitsTopology(spec.topology)
  const last = lastLayer(JSON.parse(spec.topology) as Topology)
  if (last?.class_name === 'Softmax' || last?.config.activation === 'softmax')
    throw unsupported(last, 'a softmax over one output is always 1; end a regressor with a linear activation')
  return spec.topology
}

/**
 * The same classifier up to its logits: the closing softmax becomes the identity, so that training can take softmax and
 * cross-entropy in one stable step. Weights and layer names stay. Throws `FL_MODEL_UNSUPPORTED` naming the last layer
 * when that is no softmax.
 */
export function logitsTopology(topology: string): string {
  const parsed = JSON.parse(topology) as Topology
  const last = lastLayer(parsed)
  if (last?.class_name === 'Softmax') {
    last.class_name = 'Activation'
    last.config = { name: last.config.name, activation: 'linear' }
  } else if (last?.config.activation === 'softmax') {
    last.config.activation = 'linear'
  } else {
    throw unsupported(last, 'the last layer must end in softmax')
  }
  return JSON.stringify(parsed)
}

function lastLayer({ config: { layers, output_layers } }: Topology): Layer | undefined {
  return output_layers ? layers.find(({ config }) => config.name === output_layers[0]?.[0]) : layers.at(-1)
}

function unsupported(layer: Layer | undefined, why: string): FedweaveError {
  return new FedweaveError('FL_MODEL_UNSUPPORTED', `layer ${JSON.stringify(layer?.config.name)}: ${why}`)
}
