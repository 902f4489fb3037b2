import { FedweaveError, TensorLayout } from '@fedweave/aggregator'
import type * as tf from '@tensorflow/tfjs'
import { isLost, selectBackend } from '../tfjs/backend.ts'
import { setWeights } from '../tfjs/model.ts'
import { ModelPool } from '../tfjs/model-pool.ts'
import { breathe } from './breathe.ts'
import { checkDataset } from './dataset.ts'
import { judge } from './judge.ts'
import { blankLabels } from './labels.ts'
import { predictAll } from './predict.ts'
import { forJudging } from './prepare.ts'
import { trainRound } from './round.ts'
import { splitRows } from './split.ts'
import type { LocalDataset, LocalTrainer, TrainingRequest } from './trainer.ts'

/** Work on a borrowed model; awaits `pause` between its steps, which throws when it is to stop. */
type Work<T> = (model: tf.LayersModel, pause: () => Promise<void>) => Promise<T>

/**
 * Trains in this thread with TensorFlow.js, and lets other tasks run between steps. `models`: a pool that the trainers
 * of many clients share and that the caller closes; left out, the trainer has one of its own. Where a GPU computes and its
 * context is lost, the round starts again on WebAssembly: progress then counts from 1 once more.
 */
export function localTrainer(dataset: LocalDataset, models?: ModelPool): LocalTrainer {
  const pool = models ?? new ModelPool()
  let closed = false

  async function run<T>(
    spec: TrainingRequest['model'],
    signal: AbortSignal | undefined,
    work: Work<T>,
    data: LocalDataset = dataset,
  ): Promise<T> {
    const checkRunning = () => {
      if (closed || signal?.aborted) throw new FedweaveError('FL_STOPPED', 'local training was stopped')
    }
    checkRunning()
    checkDataset(data, spec)
    for (;;) {
      const backend = await selectBackend()
      const pause = async () => {
        await breathe()
        checkRunning()
        if (isLost(backend)) throw new Error('the GPU was lost') // caught below
      }
      try {
        const result = await pool.lend(spec, (model) => work(model, pause))
        if (!isLost(backend)) return result // a lost GPU reads as zeros
      } catch (error) {
        if (!isLost(backend)) throw error
      }
    }
  }

  return {
    train(request, { signal, onProgress } = {}) {
      return run(request.model, signal, (model, pause) => trainRound(model, dataset, request, pause, onProgress))
    },
    evaluate({ model: spec, weights, plan = {} }, { signal } = {}) {
      return run(spec, signal, async (model, pause) => {
        const split = splitRows(dataset.labels.length, plan)
        setWeights(model, weights, new TensorLayout(spec.tensors))
        const rows = plan.validation === undefined ? split.training : split.validation
        return judge(model, dataset, rows, forJudging(dataset, split, plan), pause)
      })
    },
    predict({ model: spec, weights, xs, plan = {} }) {
      const width = spec.inputShape.reduce((n, side) => n * side, 1)
      const examples = { xs, shape: spec.inputShape, labels: blankLabels(spec, Math.ceil(xs.length / width)) }
      const work: Work<Float32Array> = (model, pause) => {
        setWeights(model, weights, new TensorLayout(spec.tensors))
        return predictAll(model, examples, forJudging(examples, splitRows(examples.labels.length, {}), plan), pause)
      }
      return run(spec, undefined, work, examples)
    },
    backend: () => selectBackend(),
    async close() {
      closed = true
      if (!models) pool.close()
    },
  }
}
