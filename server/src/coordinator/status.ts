import { type Evaluation, roundsOfBurst, toHex } from '@fedweave/aggregator'
import { type Static, Type } from 'typebox'
import { eligibility } from '../task-spec.ts'
import type { TaskHistory } from './history.ts'
import type { Outlook } from './outlook.ts'
import type { RoundSet } from './round-set.ts'
import type { Stand } from './standing.ts'

const count = Type.Integer({ minimum: 0 })

/** Where a task stands, as its API tells it. */
export const taskStatusSchema = Type.Object(
  {
    id: Type.String(),
    state: Type.Union(
      [
        Type.Literal('waiting'),
        Type.Literal('running'),
        Type.Literal('resting'),
        Type.Literal('paused'),
        Type.Literal('stopped'),
        Type.Literal('finished'),
      ],
      {
        description:
          'A continuous task rests until enough clients have new data. A task that was paused or stopped may still have its last round running, which `round` then shows.',
      },
    ),
    comeBackS: Type.Optional(Type.Integer({ description: 'While it is paused: after how many seconds clients may look again.' })),
    rounds: Type.Object({ committed: count, planned: count }),
    clients: Type.Object({ connected: count, minimum: count, target: count }),
    round: Type.Optional(
      Type.Object({ number: count, phase: Type.String(), clients: count }, { description: 'The running one.' }),
    ),
    model: Type.Object({ hash: Type.String(), parameters: count }, { description: 'The last committed one.' }),
    evaluation: Type.Optional(
      Type.Unsafe<Evaluation>(
        Type.Object(
          {
            examples: count,
            loss: Type.Number(),
            accuracy: Type.Optional(Type.Number()),
            recall: Type.Optional(Type.Number()),
            rmse: Type.Optional(Type.Number()),
            mae: Type.Optional(Type.Number()),
          },
          { description: 'Of that model on held-out data: accuracy and recall of a classifier, rmse and mae of a regressor.' },
        ),
      ),
    ),
    eligibility: Type.Optional(eligibility),
    trust: Type.String({ description: 'The strongest server that updates are safe from.' }),
  },
  { title: 'TaskStatus', description: 'Where the task stands.' },
)

export type TaskStatus = Static<typeof taskStatusSchema>

/** `round` is the running one. */
export function taskStatus(
  history: TaskHistory,
  outlook: Outlook,
  stand: Stand,
  round: RoundSet['status'] | undefined,
  connected: number,
): TaskStatus {
  const { config, head, rounds } = history
  const state = stateOf(outlook, stand, round !== undefined)
  return {
    id: config.taskId,
    state,
    ...(state === 'paused' && stand.state === 'paused' ? { comeBackS: stand.comeBackS } : {}),
    rounds: { committed: rounds, planned: roundsOfBurst(config, state === 'resting' ? rounds : rounds + 1) },
    clients: { connected, minimum: config.cohort.minimum, target: config.cohort.target },
    ...(round === undefined ? {} : { round }),
    model: { hash: toHex(head.modelAfter), parameters: history.weights.length },
    ...(head.evaluation === undefined ? {} : { evaluation: head.evaluation }),
    ...(config.eligibility === undefined ? {} : { eligibility: config.eligibility }),
    trust: config.enrolment.holder === 'server' ? 'honest-but-curious server only' : 'malicious server',
  }
}

function stateOf(outlook: Outlook, { state }: Stand, running: boolean): TaskStatus['state'] {
  if (outlook === 'finished') return 'finished'
  if (state !== 'open') return state
  if (running) return 'running'
  return outlook === 'resting' ? 'resting' : 'waiting'
}
