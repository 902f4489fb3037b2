import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import { FedweaveError, type LocalUpdate, seal, UpdateFormat } from '@fedweave/aggregator'
import { fastestPrg, fastestSecretbox, release } from '@fedweave/aggregator/node'
import { describeModel, localTrainer, ModelPool, selectBackend } from '@fedweave/client/tfjs'
import { type LocalDataset, labelsOf } from '@fedweave/client/training'
import { Inbox } from './inbox.ts'
import type {
  EstimateJob,
  FromWorker,
  Job,
  JudgeJob,
  MaskJob,
  MaskOutcome,
  Outcomes,
  SharedData,
  ToWorker,
  TrainJob,
  TrainOutcome,
} from './messages.ts'
import { ReusedBytes } from './reused-bytes.ts'
import { ReusingPrg } from './reusing-prg.ts'

/** One of the engine's threads: many clients take turns on one model. */
const host = parentPort as MessagePort
const data = workerData as SharedData
const models = new ModelPool()
const prg = fastestPrg()
const masking = new ReusingPrg(prg)
const secretbox = await fastestSecretbox()
const inbox = new Inbox(prg, secretbox)
const plain = new ReusedBytes()
const box = new ReusedBytes()
const kept = new Map<number, LocalUpdate>()

host.on('message', async ({ id, job }: ToWorker) => {
  try {
    const outcome = await carryOut(job)
    host.postMessage({ id, outcome } satisfies FromWorker, arraysOf(outcome))
  } catch (error) {
    if (!(error instanceof FedweaveError)) throw error
    host.postMessage({ id, error: error.toJSON() } satisfies FromWorker)
  }
})

function carryOut(job: Job): Promise<Outcomes[Job['kind']]> | Outcomes[Job['kind']] {
  switch (job.kind) {
    case 'train':
      return train(job)
    case 'mask':
      return mask(job)
    case 'sum':
      return inbox.close(job.config, job.plan)
    case 'judge':
      return judge(job)
    case 'estimate':
      return estimate(job)
    case 'describe':
      return describeModel(job.topology)
    case 'backend':
      return selectBackend()
  }
}

async function train({ rows, request, keep }: TrainJob): Promise<TrainOutcome> {
  const result = await onRows('train', rows, (own) => localTrainer(own, models).train(request))
  const { delta, examples, steps, loss, accuracy } = result
  if (keep === undefined) return { delta, examples, steps, loss, accuracy }
  kept.set(keep, result)
  return { examples, steps, loss, accuracy }
}

function mask({ keep, weight, config, context, roundingKey, masks, sealKey, openKey, reveal }: MaskJob): MaskOutcome {
  const update = kept.get(keep)
  if (update === undefined) throw new Error(`no delta ${keep} was kept`)
  kept.delete(keep)
  const format = new UpdateFormat(config)
  const sum = format.quantise({ ...update, examples: weight }, context, masking, { bytes: () => roundingKey })
  const masked = sum.masked(masks, plain.of(format.plainBytes))
  masking.takeBack()
  const sealed = seal(sealKey, masked, secretbox, box.of(format.sealedBytes))
  inbox.take(config, context, openKey, sealed)
  if (reveal) return { delta: update.delta }
  release(update.delta)
  return {}
}

function judge({ on, rows, request }: JudgeJob): Promise<Outcomes['judge']> {
  return onRows(on, rows, (own) => localTrainer(own, models).evaluate(judging(request)))
}

async function estimate({ on, rows, request }: EstimateJob): Promise<Outcomes['estimate']> {
  const predict = (own: LocalDataset) => localTrainer(own, models).predict({ ...judging(request), xs: own.xs })
  return { estimates: await onRows(on, rows, predict) }
}

function judging({ model, weights, plan: { normalise } }: JudgeJob['request']) {
  return { model, weights, ...(normalise === undefined ? {} : { plan: { normalise } }) }
}

/** Works on a client's own examples. */
async function onRows<T>(on: keyof SharedData, rows: Int32Array, work: (own: LocalDataset) => Promise<T>): Promise<T> {
  const own = rowsOf(data[on], rows)
  try {
    return await work(own)
  } finally {
    release(own.xs)
  }
}

function rowsOf({ xs, shape, labels }: LocalDataset, rows: Int32Array): LocalDataset {
  const width = shape.reduce((n, side) => n * side, 1)
  const own = new Float32Array(rows.length * width)
  for (const [i, row] of rows.entries()) own.set(xs.subarray(row * width, (row + 1) * width), i * width)
  return { xs: own, shape, labels: labelsOf(labels, rows) }
}

function arraysOf(outcome: object): ArrayBuffer[] {
  const found: ArrayBuffer[] = []
  for (const value of Object.values(outcome)) {
    if (ArrayBuffer.isView(value) && value.buffer instanceof ArrayBuffer) found.push(value.buffer)
  }
  return found
}
