import { noblePrg, nobleSecretbox, openSeal, UpdateFormat } from '@fedweave/aggregator'
import { fastestPrg } from '@fedweave/aggregator/node'
import { RoundHarness, seededEntropy } from '@fedweave/aggregator/testing'
import { describe, expect, test } from 'vitest'
import type { LocalDataset, Trainer } from '../../../client-sdk/src/training/trainer.ts'
import { type Masker, type MaskingJob, maskerOf } from '../../../client-sdk/src/worker/masker.ts'
import type { FromWorker, ToWorker } from '../../../client-sdk/src/worker/messages.ts'
import { RemoteTrainer } from '../../../client-sdk/src/worker/remote.ts'
import { serveTrainer } from '../../../client-sdk/src/worker/serve.ts'

const SIZE = 1000
const { config } = new RoundHarness({
  clients: 3,
  seed: 'masker',
  size: SIZE,
  update: () => ({ delta: new Float32Array(SIZE), examples: 1, loss: 0, accuracy: 0 }),
})
const dataset: LocalDataset = { xs: new Float32Array(1), shape: [1], labels: new Int32Array(1) }

/** A trainer that cannot mask. */
const scripted: Trainer = { train: () => Promise.reject(new Error('never')), close: async () => undefined }

/** A job of a client with a self mask and two pairwise ones; always the same. */
function someJob(delta = Float32Array.from({ length: SIZE }, (_, i) => Math.sin(i))): MaskingJob {
  const entropy = seededEntropy('job')
  const keys = () => ({ update: entropy.bytes(32), counters: entropy.bytes(32) })
  return {
    config,
    context: entropy.bytes(32),
    update: { delta, examples: 7, loss: 0.5, accuracy: 0.25 },
    roundingKey: entropy.bytes(32),
    masks: [
      { sign: 1, keys: keys() },
      { sign: -1, keys: keys() },
      { sign: 1, keys: keys() },
    ],
    sealKey: entropy.bytes(32),
  }
}

/** A training worker in this thread: what crosses is cloned and transferred as between threads. */
function remoteTrainer() {
  const crossed: { toWorker: ToWorker[]; fromWorker: FromWorker[] } = { toWorker: [], fromWorker: [] }
  const trainer = new RemoteTrainer(dataset, {}, (onMessage) => {
    const serve = serveTrainer(
      (message, transfer) => {
        const clone = structuredClone(message, { transfer })
        crossed.fromWorker.push(clone)
        onMessage(clone)
      },
      { prg: fastestPrg() },
    )
    return {
      post(message, transfer) {
        const clone = structuredClone(message, { transfer })
        crossed.toWorker.push(clone)
        serve(clone)
      },
      terminate: async () => undefined,
    }
  })
  return { trainer, crossed }
}

const maskers: readonly (readonly [string, () => Masker])[] = [
  ['this thread', () => maskerOf(scripted, { prg: noblePrg })],
  ['this thread with a faster secretbox', () => maskerOf(scripted, { prg: fastestPrg(), secretbox: nobleSecretbox })],
  ['the training worker', () => remoteTrainer().trainer],
]

const keysOf = ({ roundingKey, sealKey, masks }: MaskingJob) => [
  roundingKey,
  sealKey,
  ...masks.flatMap(({ keys }) => [keys.update, keys.counters]),
]

/** What the job must give, step by step. */
function expected(job: MaskingJob): Uint8Array {
  const format = new UpdateFormat(config)
  const plain = format.quantise(job.update, job.context, noblePrg, { bytes: () => job.roundingKey })
  return format.maskAndSeal(plain, job.masks, job.sealKey)
}

describe.each(maskers)('masking on %s', (_, make) => {
  test('gives the bytes that follow from the job', async () => {
    expect(await make().maskAndSeal(someJob())).toEqual(expected(someJob()))
  })

  test('hides nothing else in them: without its masks an update is the quantised delta', async () => {
    const job = { ...someJob(), masks: [] }
    const sealed = await make().maskAndSeal(job)
    const format = new UpdateFormat(config)
    const { sealKey, update, context, roundingKey } = someJob()
    const plain = openSeal(sealKey, sealed, format.plainBytes)
    const sum = format.sum(noblePrg)
    sum.add(format.quantise(update, context, noblePrg, { bytes: () => roundingKey }))
    expect(plain).toEqual(sum.masked([]))
  })

  test('wipes the keys, keeps the delta', async () => {
    const job = someJob()
    await make().maskAndSeal(job)
    expect(keysOf(job).every((key) => key.length === 32 && key.every((byte) => byte === 0))).toBe(true)
    expect(job.update.delta).toEqual(someJob().update.delta)
  })

  test('refuses a delta that is not finite or of another model, and wipes the keys all the same', async () => {
    for (const [delta, code] of [
      [new Float32Array(SIZE).fill(Number.NaN, 3, 4), 'FL_NON_FINITE'],
      [new Float32Array(SIZE - 1), 'FL_UPDATE_SHAPE'],
    ] as const) {
      const job = someJob(delta)
      await expect(make().maskAndSeal(job)).rejects.toMatchObject({ name: 'FedweaveError', code })
      expect(keysOf(job).every((key) => key.every((byte) => byte === 0))).toBe(true)
    }
  })
})

test('a training worker masks without loading TensorFlow.js, and leaves no key behind', async () => {
  const { trainer, crossed } = remoteTrainer()
  await trainer.maskAndSeal(someJob())
  const request = crossed.toWorker.flatMap((message) =>
    message.kind === 'job' && message.job.kind === 'mask' ? [message.job.request] : [],
  )
  expect(request).toHaveLength(1)
  expect(request.flatMap(keysOf).every((key) => key.every((byte) => byte === 0))).toBe(true)
  expect(crossed.fromWorker.map(({ kind }) => kind)).toEqual(['result'])
})

test("a trainer's own masker is taken where it has one", () => {
  const { trainer } = remoteTrainer()
  expect(maskerOf(trainer, { prg: noblePrg })).toBe(trainer)
})
