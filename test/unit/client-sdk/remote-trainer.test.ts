import type { ModelSpec } from '@fedweave/aggregator'
import { describe, expect, it } from 'vitest'
import { metricsOf } from '../../../client-sdk/src/training/metrics.ts'
import type { LocalDataset, TrainingRequest } from '../../../client-sdk/src/training/trainer.ts'
import type { FromWorker, ToWorker } from '../../../client-sdk/src/worker/messages.ts'
import { RemoteTrainer } from '../../../client-sdk/src/worker/remote.ts'

const model: ModelSpec = { topology: '{}', inputShape: [2], classes: 2, tensors: [] }
const request: TrainingRequest = {
  model,
  weights: Float32Array.of(1, 2, 3),
  plan: { epochs: 1, batchSize: 1, optimizer: 'sgd', learningRate: 1 },
  seed: 1,
}
const dataset: LocalDataset = { xs: Float32Array.of(1, 2), shape: [2], labels: Int32Array.of(0) }
const options = { wasmPaths: '/wasm/' }
const result = { delta: Float32Array.of(1), examples: 1, steps: 1, loss: 0, accuracy: 1 }

/** Workers that answer only what a test makes them; `received` holds what crossed, as structured cloning leaves it. */
function fakeWorkers(data: LocalDataset = dataset) {
  const workers: { received: ToWorker[]; answer: (message: FromWorker) => void; crash: (cause: unknown) => void }[] = []
  const trainer = new RemoteTrainer(data, options, (answer, crash) => {
    const received: ToWorker[] = []
    workers.push({ received, answer, crash })
    return {
      post: (message, transfer) => received.push(structuredClone(message, { transfer })),
      terminate: async () => crash(new Error('terminated')),
    }
  })
  const worker = (i: number) => workers[i] as (typeof workers)[number]
  return { trainer, workers, worker }
}

describe('RemoteTrainer', () => {
  it('starts its worker with the first job and sends the data set and the options once', async () => {
    const { trainer, workers, worker } = fakeWorkers()
    expect(workers).toHaveLength(0)
    const rounds = [trainer.train(request), trainer.train(request)]
    expect(worker(0).received).toEqual([
      { kind: 'start', dataset, options },
      { kind: 'job', id: 1, job: { kind: 'train', request, progress: false } },
      { kind: 'job', id: 2, job: { kind: 'train', request, progress: false } },
    ])
    worker(0).answer({ kind: 'result', id: 2, result: { ...result, steps: 2 } })
    worker(0).answer({ kind: 'result', id: 1, result })
    expect(await Promise.all(rounds)).toMatchObject([{ steps: 1 }, { steps: 2 }])
    expect(request.weights).toHaveLength(3) // the caller keeps its weights
    expect(workers).toHaveLength(1)
  })

  it('asks for a judgement and for the backend as it asks for training', async () => {
    const { trainer, worker } = fakeWorkers()
    const metrics = metricsOf(Uint32Array.of(1, 0, 0, 1), 2, 0.5)
    const backend = { name: 'wasm', simd: true, kernels: 'wasm-simd', reason: 'no GPU' } as const
    const answers = [trainer.evaluate({ model, weights: request.weights }), trainer.backend()]
    expect(worker(0).received.slice(1)).toEqual([
      { kind: 'job', id: 1, job: { kind: 'evaluate', request: { model, weights: request.weights } } },
      { kind: 'job', id: 2, job: { kind: 'backend' } },
    ])
    worker(0).answer({ kind: 'result', id: 2, result: backend })
    worker(0).answer({ kind: 'result', id: 1, result: metrics })
    expect(await Promise.all(answers)).toEqual([metrics, backend])
    expect(request.weights).toHaveLength(3)
  })

  it('hands on the progress of the round that asked for it', async () => {
    const { trainer, worker } = fakeWorkers()
    const seen: unknown[] = []
    const rounds = [trainer.train(request, { onProgress: (progress) => seen.push(progress) }), trainer.train(request)]
    expect(worker(0).received.slice(1)).toMatchObject([{ job: { progress: true } }, { job: { progress: false } }])
    const progress = { step: 1, steps: 2, loss: 3, accuracy: 0.5, validation: { examples: 1, loss: 2, accuracy: 1 } }
    worker(0).answer({ kind: 'progress', id: 1, progress })
    for (const id of [1, 2]) worker(0).answer({ kind: 'result', id, result })
    await Promise.all(rounds)
    expect(seen).toEqual([progress])
  })

  it('sends a part of a large array without the rest, and leaves it with the caller', () => {
    const all = Float32Array.from({ length: 1000 }, (_, i) => i)
    const { trainer, worker } = fakeWorkers({ ...dataset, xs: all.subarray(10, 12) })
    void trainer.train(request)
    const [first] = worker(0).received
    const sent = first?.kind === 'start' ? first.dataset.xs : undefined
    expect(sent).toEqual(Float32Array.of(10, 11))
    expect(sent?.buffer.byteLength).toBe(8)
    expect(all).toHaveLength(1000)
  })

  it('shares an array that lies on a SharedArrayBuffer', () => {
    const xs = new Float32Array(new SharedArrayBuffer(8))
    const { trainer, worker } = fakeWorkers({ ...dataset, xs })
    void trainer.train(request)
    xs[1] = 5
    const [first] = worker(0).received
    expect(first?.kind === 'start' && first.dataset.xs[1]).toBe(5)
  })

  it('gives an error of the worker its class, code and cure back', async () => {
    const { trainer, worker } = fakeWorkers()
    const round = trainer.train(request)
    worker(0).answer({
      kind: 'error',
      id: 1,
      error: { code: 'FL_NON_FINITE', message: 'the loss is NaN at step 3 of 4', cure: 'Calm down.' },
    })
    await expect(round).rejects.toMatchObject({
      name: 'FedweaveError',
      code: 'FL_NON_FINITE',
      message: 'the loss is NaN at step 3 of 4',
      cure: 'Calm down.',
    })
  })

  it('passes an abort on to the round it belongs to', async () => {
    const { trainer, worker } = fakeWorkers()
    const stop = new AbortController()
    void trainer.train(request)
    void trainer.train(request, { signal: stop.signal })
    stop.abort()
    expect(worker(0).received.at(-1)).toEqual({ kind: 'stop', id: 2 })
  })

  it('starts nothing for a call that is aborted already', async () => {
    const { trainer, workers } = fakeWorkers()
    await expect(trainer.train(request, { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'FL_STOPPED' })
    expect(workers).toHaveLength(0)
  })

  it('rejects what is pending when the worker dies, and trains the next round in a new one', async () => {
    const { trainer, worker } = fakeWorkers()
    const rounds = [trainer.train(request), trainer.train(request)]
    worker(0).crash(new Error('out of memory'))
    for (const round of rounds) {
      await expect(round).rejects.toMatchObject({ name: 'FedweaveError', message: 'the training worker died: out of memory' })
    }
    const next = trainer.train(request)
    worker(0).crash(new Error('a late event of the first worker'))
    expect(worker(1).received.map(({ kind }) => kind)).toEqual(['start', 'job'])
    worker(1).answer({ kind: 'result', id: 3, result })
    expect(await next).toEqual(result)
  })

  it('rejects what is pending when it is closed, and later calls', async () => {
    const { trainer } = fakeWorkers()
    const round = trainer.train(request)
    await trainer.close()
    await expect(round).rejects.toMatchObject({ code: 'FL_STOPPED' })
    await expect(trainer.train(request)).rejects.toMatchObject({ code: 'FL_STOPPED' })
  })
})
