import { FedweaveError } from '@fedweave/aggregator'

interface Layer {
  class_name: string
  config: { name: string; activation?: string }
}

interface Topology {
  class_name: string
  config: { layers: Layer[]; output_layers?: [name: string, node: number, tensor: number][] }
}

/**
 * The same classifier up to its logits: the closing softmax becomes the identity, so that training can take softmax and
 * cross-entropy in one stable step. Weights and layer names stay. Throws `FL_MODEL_UNSUPPORTED` naming the last layer
 * when that is no softmax.
 */
export function logitsTopology(topology: string): string {
  const parsed = JSON.parse(topology) as Topology
  const { layers, output_layers } = parsed.config
  const last = output_layers ? layers.find(({ config }) => config.name === output_layers[0]?.[0]) : layers.at(-1)
  if (last?.class_name === 'Softmax') {
    last.class_name = 'Activation'
    last.config = { name: last.config.name, activation: 'linear' }
  } else if (last?.config.activation === 'softmax') {
    last.config.activation = 'linear'
  } else {
    throw new FedweaveError(
      'FL_MODEL_UNSUPPORTED',
      `layer ${JSON.stringify(last?.config.name)}: the last layer must end in softmax`,
    )
  }
  return JSON.stringify(parsed)
}
