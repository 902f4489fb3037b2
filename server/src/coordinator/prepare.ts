import { createHash } from 'node:crypto'
import { FedweaveError, graphOf, largestRoster, parseTaskConfig, type TaskConfig } from '@fedweave/aggregator'
import { type Evaluator, startEvaluator } from '../evaluation/evaluator.ts'
import type { Store } from '../storage/store.ts'
import type { TaskSpec } from '../task-spec.ts'
import { TaskHistory, weightsToBytes } from './history.ts'
import type { ServerKeys } from './identity.ts'

/**
 * From an operator's description to a task that can run: builds the model once for its layout and initial weights,
 * makes the config that clients will check, and opens the task's past. Throws `FL_CONFIG_INVALID` naming the field.
 */
export async function prepareTask(
  spec: TaskSpec,
  keys: ServerKeys,
  enrolment: TaskConfig['enrolment'],
  store: Store,
): Promise<{ readonly history: TaskHistory; readonly evaluator: Evaluator | undefined }> {
  const evaluator = await startEvaluator(spec.evaluation)
  try {
    const described = await evaluator.describe(spec.model.topology)
    const weights = spec.model.initialWeights ?? described.weights
    const { id, rounds, plan, combine, cohort, secureAggregation, deadlines } = spec
    const config = parseTaskConfig({
      protocol: 'fedweave/v1',
      taskId: id,
      rounds,
      model: described.spec,
      initialModel: createHash('sha256').update(weightsToBytes(weights)).digest('hex'),
      plan,
      strategy: { name: 'fedavg', ...(combine === undefined ? {} : { combine }) },
      cohort,
      secureAggregation,
      deadlines,
      enrolment,
    })
    for (const clients of [cohort.minimum, largestRoster(config)]) checkGraph(config, clients)
    const history = await TaskHistory.open(store, keys, config, weights)
    if (spec.evaluation !== undefined) return { history, evaluator }
    await evaluator.close()
    return { history, evaluator: undefined }
  } catch (error) {
    await evaluator.close()
    await store.close()
    throw error
  }
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
