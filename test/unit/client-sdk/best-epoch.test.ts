import { describe, expect, it } from 'vitest'
import { BestEpoch } from '../../../client-sdk/src/training/best-epoch.ts'

/** Epochs with these validation losses; the weights of the i-th are [i]. Gives the number that were run and the best one's. */
function run(patience: number, losses: readonly number[]) {
  const best = new BestEpoch(patience)
  let epochs = 0
  for (const loss of losses) {
    epochs++
    const weights = Float32Array.of(epochs)
    if (best.exhausted({ examples: 1, loss, accuracy: 0 }, () => weights)) break
  }
  return { epochs, best: best.best?.weights[0], loss: best.best?.validation.loss }
}

describe('BestEpoch', () => {
  it.each([
    { patience: 1, losses: [3, 2, 1, 0.5], epochs: 4, best: 4 },
    { patience: 1, losses: [3, 2, 2.5, 0.5], epochs: 3, best: 2 },
    { patience: 2, losses: [3, 2, 2.5, 1, 1.5, 1.2, 0.1], epochs: 6, best: 4 },
    { patience: 2, losses: [1, 1, 1, 0.5], epochs: 3, best: 1 }, // as good is not better
    { patience: 9, losses: [2, 1, 3], epochs: 3, best: 2 },
  ])(
    'with patience $patience, $losses ends after epoch $epochs with the weights of epoch $best',
    ({ patience, losses, epochs, best }) => {
      expect(run(patience, losses)).toEqual({ epochs, best, loss: losses[best - 1] })
    },
  )
})
