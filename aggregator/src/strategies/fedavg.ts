import { FedweaveError } from '../core/errors.ts'
import type { Strategy } from './strategy.ts'

/**
 * Federated averaging: the new weights are the weighted mean of the clients' weights, that is, the old ones plus the
 * pseudo-gradient (a server learning rate of 1). McMahan et al. 2017, "Communication-efficient learning of deep networks
 * from decentralized data", algorithm 1.
 */
export function fedAvg(): Strategy<null> {
  return {
    name: 'fedavg',
    init: () => null,
    apply(weights, pseudoGradient) {
      if (pseudoGradient.length !== weights.length) {
        throw new FedweaveError('FL_UPDATE_SHAPE', `expected ${weights.length} values, got ${pseudoGradient.length}`)
      }
      const next = new Float32Array(weights.length)
      for (let i = 0; i < next.length; i++) next[i] = (weights[i] as number) + (pseudoGradient[i] as number)
      return { weights: next, state: null }
    },
  }
}
