import { createHash } from 'node:crypto'
import { FedweaveError, graphOf, largestRoster, openConfig, parseTaskConfig, type TaskConfig } from '@fedweave/aggregator'
import { type Evaluator, startEvaluator } from '../evaluation/evaluator.ts'
import type { DescribedModel } from '../evaluation/model.ts'
import type { Store } from '../storage/store.ts'
import type { TaskSpec } from '../task-spec.ts'
import { TaskHistory, weightsToBytes } from './history.ts'
import type { ServerKeys } from './identity.ts'
import { Standing } from './standing.ts'

/**
 * From an operator's description to a task that can run: builds the model once for its layout and initial weights,
 * makes the config that clients will check, and opens the task's past. Throws `FL_CONFIG_INVALID` naming the field.
 */
export async function prepareTask(
  spec: TaskSpec,
  keys: ServerKeys,
  enrolment: TaskConfig['enrolment'],
  store: Store,
  checkpoints?: number,
): Promise<{ readonly history: TaskHistory; readonly standing: Standing; readonly evaluator: Evaluator | undefined }> {
  let evaluator: Evaluator | undefined
  try {
    const begun = await begunWith(store, keys)
    const known = begun?.spec.topology === spec.model.topology ? begun : undefined
    // A restart of a task without held-out data needs no TensorFlow.js, which takes longer to load than all the rest.
    if (known === undefined || spec.evaluation !== undefined) evaluator = await startEvaluator(spec.evaluation)
    const described = known ?? (await evaluator?.describe(spec.model.topology))
    if (described === undefined) throw new Error('a model that is not known was not described')
    const weights = spec.model.initialWeights ?? begun?.weights ?? described.weights
    checkWeights(weights, described.weights.length)
    const { id, rounds, continuous, plan, combine, cohort, secureAggregation, deadlines, eligibility } = spec
    const config = parseTaskConfig({
      protocol: 'fedweave/v1',
      taskId: id,
      rounds,
      continuous,
      model: described.spec,
      initialModel: createHash('sha256').update(weightsToBytes(weights)).digest('hex'),
      plan,
      strategy: { name: 'fedavg', ...(combine === undefined ? {} : { combine }) },
      cohort,
      secureAggregation,
      deadlines,
      eligibility,
      enrolment,
    })
    for (const clients of [cohort.minimum, largestRoster(config)]) checkGraph(config, clients)
    const history = await TaskHistory.open(store, keys, config, weights, checkpoints)
    const standing = await Standing.open(store)
    if (spec.evaluation !== undefined) return { history, standing, evaluator }
    await evaluator?.close()
    return { history, standing, evaluator: undefined }
  } catch (error) {
    await evaluator?.close()
    await store.close()
    throw error
  }
}

/** What a task began with whose store was begun: initialisers without a seed would draw other weights now. */
async function begunWith(store: Store, keys: ServerKeys): Promise<DescribedModel | undefined> {
  const signed = await store.readNote('config')
  if (signed === undefined) return undefined
  const { config } = openConfig(keys.curves, keys.operatorKey, signed)
  const bytes = await store.checkpoint(config.initialModel)
  return bytes === undefined ? undefined : { spec: config.model, weights: new Float32Array(bytes.slice().buffer) }
}

function checkWeights(weights: Float32Array, expected: number): void {
  if (weights.length !== expected)
    throw new FedweaveError(
      'FL_CONFIG_INVALID',
      `model.initialWeights: the model has ${expected} parameters, got ${weights.length}`,
    )
  if (!weights.every(Number.isFinite)) throw new FedweaveError('FL_CONFIG_INVALID', 'model.initialWeights: not all are finite')
}

/** A task whose rosters no share graph can protect would abort every round: say so at the start. */
function checkGraph(config: TaskConfig, clients: number): void {
  try {
    graphOf(config, clients)
  } catch (error) {
    if (!(error instanceof FedweaveError)) throw error
    throw new FedweaveError('FL_CONFIG_INVALID', `secureAggregation: ${error.message}`, { cause: error })
  }
}
