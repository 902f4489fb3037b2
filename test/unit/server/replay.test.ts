import { mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseTaskConfig, signEntry } from '@fedweave/aggregator'
import { nodeCurves } from '@fedweave/aggregator/node'
import { seededEntropy } from '@fedweave/aggregator/testing'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type Commitment, TaskHistory } from '../../../server/src/coordinator/history.ts'
import { serverKeys } from '../../../server/src/coordinator/identity.ts'
import { replayJournal } from '../../../server/src/coordinator/replay.ts'
import { openFileStore } from '../../../server/src/storage/files.ts'

const curves = nodeCurves
const seed = (name: string) => seededEntropy(`replay/${name}`).bytes(32)
const keys = serverKeys(curves, seed('operator'))
const config = parseTaskConfig({
  protocol: 'fedweave/v1',
  taskId: 'tiny',
  rounds: 100,
  model: { topology: '{}', inputShape: [1], classes: 2, tensors: [{ name: 'w', shape: [4] }] },
  initialModel: '0'.repeat(64),
  plan: { epochs: 1, batchSize: 1, optimizer: 'sgd', learningRate: 1 },
  strategy: { name: 'fedavg' },
  cohort: { minimum: 3, target: 3, overSelection: 1 },
  secureAggregation: { clipBound: 1, valueBits: 8, weighting: 'uniform', maxWeight: 1 },
  deadlines: { recruitingMs: 100, setupMs: 100, collectingMs: 100, confirmingMs: 100, unmaskingMs: 100 },
  enrolment: { key: '0'.repeat(64), holder: 'server' },
})

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fedweave-replay-'))
})
afterEach(() => rm(folder, { recursive: true }))

const open = async (kept?: number) => TaskHistory.open(await openFileStore(folder), keys, config, new Float32Array(4), kept)

async function commit(history: TaskHistory, round: number): Promise<void> {
  const commitment: Commitment = {
    round,
    cohorts: [],
    weight: 3,
    training: undefined,
    uploadBytes: 0,
    evaluation: undefined,
    privacy: undefined,
    strategyState: new Uint8Array(32),
  }
  const mean = { weight: 3, pseudoGradient: new Float32Array(4).fill(round / 10) }
  await history.commit(commitment, [mean], new Float32Array(4).fill(round))
}

/** Three rounds, then whatever `damage` appends as a fourth entry; what opening the store again says. */
async function openedAfter(damage: (history: TaskHistory) => Uint8Array): Promise<{ error: unknown; offset: number }> {
  const history = await open()
  for (const round of [1, 2, 3]) await commit(history, round)
  const signed = damage(history)
  await history.close()
  const { size: offset } = await stat(join(folder, 'journal.log'))
  const store = await openFileStore(folder)
  await store.append(signed)
  await store.close()
  const again = await openFileStore(folder)
  const error = await TaskHistory.open(again, keys, config, new Float32Array(4)).catch((thrown: unknown) => thrown)
  await again.close()
  return { error, offset }
}

const next = ({ head }: TaskHistory) => {
  const { hash: previous, ...body } = head
  return { ...body, index: 4, round: 4, previous, modelBefore: head.modelAfter }
}

test('a journal that was written comes back to the same head and weights', async () => {
  const history = await open()
  for (const round of [1, 2, 3]) await commit(history, round)
  const { head } = history
  await history.close()
  const again = await open()
  expect([again.rounds, again.head, again.weights]).toEqual([3, head, new Float32Array(4).fill(3)])
  await again.close()
})

const other = seed('other operator')
test.each<[string, (history: TaskHistory) => Uint8Array, string]>([
  ['no entry', () => new Uint8Array(50), 'is no journal entry signed by the operator key'],
  ['one of another operator', (h) => signEntry(curves, other, next(h)), 'is no journal entry signed by the operator key'],
  ['one of another task', (h) => signEntry(curves, seed('operator'), { ...next(h), task: 'other' }), 'is not of task tiny'],
  ['one twice', (h) => h.signedHead, 'is journal entry 3, where 4 is expected'],
  ['one off the chain', (h) => signEntry(curves, seed('operator'), { ...next(h), previous: seed('x') }), 'does not continue'],
  [
    'one from another model',
    (h) => signEntry(curves, seed('operator'), { ...next(h), modelBefore: seed('x') }),
    'does not start from',
  ],
  ['an old round', (h) => signEntry(curves, seed('operator'), { ...next(h), round: 3 }), 'is of round 3, after 3'],
])('%s at the end of the journal stops the start, and the error names file and offset', async (_name, damage, why) => {
  const { error, offset } = await openedAfter(damage)
  expect(error).toMatchObject({
    code: 'FL_STORE_DAMAGED',
    message: expect.stringContaining(`${join(folder, 'journal.log')}: the record at byte ${offset} ${why}`),
  })
})

test('a byte changed in any entry stops the start, although only the last one is checked against its signature', async () => {
  const history = await open()
  for (const round of [1, 2]) await commit(history, round)
  const entries: Uint8Array[] = []
  for await (const entry of history.signedEntries()) entries.push(entry.slice())
  const journal = { keys, task: 'tiny', configHash: history.configHash }
  const replayed = (changed: readonly Uint8Array[]) => {
    const records = async function* () {
      for (const [index, bytes] of changed.entries()) yield { bytes, place: `record ${index}` }
    }
    return replayJournal({ records }, journal, () => undefined)
  }
  expect((await replayed(entries))?.entry).toEqual(history.head)
  const SIGNATURE_BYTES = 64
  for (const [index, entry] of entries.entries()) {
    const vouchedFor = entry.length - (index === entries.length - 1 ? 0 : SIGNATURE_BYTES)
    for (let at = 0; at < vouchedFor; at++) {
      const changed = entry.map((byte, i) => (i === at ? byte ^ 1 : byte))
      await expect(replayed(entries.with(index, changed))).rejects.toMatchObject({ code: 'FL_STORE_DAMAGED' })
    }
  }
  await history.close()
})

test('the models and sums of the last rounds and the initial model are kept, and what a crash left behind goes', async () => {
  const history = await open(2)
  for (const round of [1, 2, 3, 4, 5]) await commit(history, round)
  const kept = async () => new Set(await readdir(join(folder, 'checkpoints')))
  expect((await kept()).size).toBe(1 + 2 * 2)
  await history.close()
  const store = await openFileStore(folder)
  await store.putCheckpoint(new Uint8Array(16).fill(9)) // of a round whose entry never came
  await store.close()
  expect((await kept()).size).toBe(6)
  const again = await open(2)
  expect((await kept()).size).toBe(5)
  expect(again.weights).toEqual(new Float32Array(4).fill(5))
  await again.close()
})
