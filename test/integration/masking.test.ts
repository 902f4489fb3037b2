import { noblePrg } from '@fedweave/aggregator'
import { RoundHarness, seededEntropy } from '@fedweave/aggregator/testing'
import { expect, test } from 'vitest'
import { workerTrainer } from '../../client-sdk/src/worker/host.ts'
import { type MaskingJob, maskAndSeal } from '../../client-sdk/src/worker/masker.ts'

const SIZE = 100_003

test('a training worker masks an update to the same bytes as this thread, with other implementations of all primitives', async () => {
  const update = () => ({
    delta: Float32Array.from({ length: SIZE }, (_, i) => Math.sin(i)),
    examples: 1,
    loss: 1,
    accuracy: 0.5,
  })
  const { config } = new RoundHarness({ clients: 5, seed: 'masking', size: SIZE, update })
  const job = (): MaskingJob => {
    const entropy = seededEntropy('job')
    const masks = ([1, -1, 1, -1, 1] as const).map((sign) => ({
      sign,
      keys: { update: entropy.bytes(32), counters: entropy.bytes(32) },
    }))
    const [context, roundingKey, sealKey] = [entropy.bytes(32), entropy.bytes(32), entropy.bytes(32)]
    return { config, context, update: update(), roundingKey, masks, sealKey }
  }
  const trainer = workerTrainer({ xs: new Float32Array(1), shape: [1], labels: new Int32Array(1) })
  try {
    const [there, here] = [await trainer.maskAndSeal(job()), maskAndSeal(job(), { prg: noblePrg })]
    expect(Buffer.compare(there, here)).toBe(0)
  } finally {
    await trainer.close()
  }
})
