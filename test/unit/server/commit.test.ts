import { FedweaveError } from '@fedweave/aggregator'
import { nodeCurves } from '@fedweave/aggregator/node'
import { RoundHarness } from '@fedweave/aggregator/testing'
import { MemoryDisk, memoryStore } from '@fedweave/server'
import { expect, test } from 'vitest'
import { commitRound } from '../../../server/src/coordinator/commit.ts'
import { TaskHistory } from '../../../server/src/coordinator/history.ts'
import { serverKeys } from '../../../server/src/coordinator/identity.ts'
import type { CohortSum } from '../../../server/src/coordinator/round-set.ts'
import type { Evaluator } from '../../../server/src/evaluation/evaluator.ts'

const SIZE = 16
const { config, operatorSeed } = new RoundHarness({
  clients: 3,
  seed: 'commit',
  update: () => ({ delta: new Float32Array(SIZE), examples: 1, loss: 0, accuracy: 0 }),
})
/** SHA-256 of 64 zero bytes: the model of sixteen zeros. */
const initialModel = 'f5a5fd42d16a20302798ef6ed309979b43003d2320d9f0e8ea9831a92759fb4b'
const begin = () =>
  TaskHistory.open(
    memoryStore(new MemoryDisk()),
    serverKeys(nodeCurves, operatorSeed),
    { ...config, initialModel },
    new Float32Array(SIZE),
  )

const sum = {
  state: { facts: { round: 1, roster: [] }, members: [], active: [], survivors: [], confirms: new Map() },
  aggregate: { pseudoGradient: new Float32Array(SIZE).fill(0.5), weight: 3, counters: undefined },
  uploadBytes: 100,
} as unknown as CohortSum

/** An evaluator whose every evaluation fails so. */
const failing = (error: FedweaveError) => ({ evaluate: () => Promise.reject(error) }) as unknown as Evaluator

test('a round is committed without an evaluation, with a warning, when the thread that evaluates has died', async () => {
  const history = await begin()
  const warnings: string[] = []
  const dead = failing(new FedweaveError('FL_SERVER_FAULT', 'a worker thread died: out of memory'))
  await commitRound(history, dead, [sum], (message) => void warnings.push(message))
  expect(history.head).toMatchObject({ index: 1, round: 1, evaluation: undefined })
  expect([...history.weights]).toEqual(Array(SIZE).fill(0.5))
  expect(warnings).toEqual(['the new model was not evaluated: a worker thread died: out of memory'])
})

test('a model that gives no numbers is not committed', async () => {
  const history = await begin()
  const useless = failing(new FedweaveError('FL_NON_FINITE', 'the model gives NaN for evaluation example 3'))
  await expect(commitRound(history, useless, [sum], () => undefined)).rejects.toMatchObject({ code: 'FL_NON_FINITE' })
  expect(history.head.index).toBe(0)
})
