import { parentPort, workerData } from 'node:worker_threads'
import { FedweaveError } from '@fedweave/aggregator'
import type { LayersModel } from '@tensorflow/tfjs'
import type { Answer } from '../compute/messages.ts'
import { type EvaluationSource, loadEvaluationData } from './load-data.ts'
import type { ToEvaluator } from './messages.ts'
import { buildModel, describeModel, evaluateModel } from './model.ts'
import { loadTensorFlow } from './tensorflow.ts'

/** The thread that holds TensorFlow.js and the held-out data, so that judging a model does not hold up the sockets. */

const source: EvaluationSource | undefined = workerData
const ready = start()
ready.catch(() => undefined) // who asks is told
let held: { readonly topology: string; readonly model: LayersModel } | undefined

parentPort?.on('message', (message: ToEvaluator) => void reply(() => answer(message)))

async function start() {
  const tf = await loadTensorFlow()
  return { tf, data: source && (await loadEvaluationData(source)) }
}

async function answer(message: ToEvaluator): Promise<unknown> {
  const { tf, data } = await ready
  switch (message.kind) {
    case 'load':
      return undefined
    case 'describe': {
      const model = await buildModel(tf, message.topology)
      try {
        return describeModel(tf, model, message.topology)
      } finally {
        model.dispose()
      }
    }
    case 'evaluate': {
      const { spec, weights } = message
      if (data === undefined) throw new FedweaveError('FL_CONFIG_INVALID', 'the config names no evaluation data')
      if (held?.topology !== spec.topology) {
        held?.model.dispose()
        held = undefined
        held = { topology: spec.topology, model: await buildModel(tf, spec.topology) }
      }
      return evaluateModel(tf, held.model, spec, weights, data)
    }
  }
}

async function reply(work: () => Promise<unknown>): Promise<void> {
  let message: Answer<unknown>
  try {
    message = { result: await work() }
  } catch (error) {
    const known =
      error instanceof FedweaveError ? error : new FedweaveError('FL_SERVER_FAULT', `evaluation failed: ${String(error)}`)
    message = { error: known.toJSON() }
  }
  parentPort?.postMessage(message)
}
