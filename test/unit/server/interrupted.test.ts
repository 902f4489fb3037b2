import { nodeCurves } from '@fedweave/aggregator/node'
import { RoundHarness } from '@fedweave/aggregator/testing'
import { MemoryDisk, memoryStore } from '@fedweave/server'
import { describe, expect, test } from 'vitest'
import { TaskHistory } from '../../../server/src/coordinator/history.ts'
import { serverKeys } from '../../../server/src/coordinator/identity.ts'

const { config, operatorSeed } = new RoundHarness({
  clients: 3,
  seed: 'interrupted',
  update: () => ({ delta: new Float32Array(16), examples: 1, loss: 0, accuracy: 0 }),
})
const keys = serverKeys(nodeCurves, operatorSeed)
const cohort = {
  round: 7,
  index: 0,
  total: 1,
  uploadBytes: 2 ** 40 + 1,
  record: Uint8Array.of(1, 2, 3),
  sum: { update: Uint32Array.of(0, 2 ** 32 - 1, 5), counters: Uint32Array.of(9, 8, 7, 6) },
}

async function open(disk: MemoryDisk, by = keys, of = config): Promise<TaskHistory> {
  return TaskHistory.open(memoryStore(disk), by, { ...of, initialModel: INITIAL }, new Float32Array(16))
}

/** SHA-256 of 64 zero bytes: the model of sixteen zeros. */
const INITIAL = 'f5a5fd42d16a20302798ef6ed309979b43003d2320d9f0e8ea9831a92759fb4b'

describe('a round that was interrupted', () => {
  test('is found by the next run as it was kept, word by word', async () => {
    const disk = new MemoryDisk()
    const history = await open(disk)
    await history.noteCohort(cohort)
    const { coordinatorKey } = keys
    expect(await (await open(disk)).interruptedRound()).toEqual({
      ...{ round: 7, total: 1 },
      cohorts: [{ ...cohort, coordinatorKey, headHash: history.head.hash }],
    })
  })

  test('can be finished when more than half of its cohorts had come so far, and not with fewer', async () => {
    const disk = new MemoryDisk()
    const groups = { ...config, cohort: { ...config.cohort, groups: 4 } }
    const history = await open(disk, keys, groups)
    const found = async () => (await (await open(disk, keys, groups)).interruptedRound())?.cohorts.map(({ index }) => index)
    await history.noteCohort({ ...cohort, index: 3, total: 4 })
    await history.noteCohort({ ...cohort, index: 0, total: 4 })
    expect(await found()).toBeUndefined()
    await history.noteCohort({ ...cohort, index: 2, total: 4 })
    expect(await found()).toEqual([0, 2, 3])
    await history.forgetRound()
    expect(await found()).toBeUndefined()
  })

  test('is of no use under another coordinator key', async () => {
    const disk = new MemoryDisk()
    await (await open(disk)).noteCohort(cohort)
    expect(await (await open(disk, serverKeys(nodeCurves, operatorSeed))).interruptedRound()).toBeUndefined()
  })

  test('is over once an entry is committed, though the crash came before it was forgotten', async () => {
    const disk = new MemoryDisk()
    const history = await open(disk)
    await history.noteCohort(cohort)
    const nothing = { cohorts: [], weight: 0, training: undefined, uploadBytes: 0, evaluation: undefined, privacy: undefined }
    await history.commit({ ...nothing, round: 7, strategyState: new Uint8Array(32) }, [], new Float32Array(16))
    expect(await (await open(disk)).interruptedRound()).toBeUndefined()
  })

  test('is gone once it is forgotten', async () => {
    const disk = new MemoryDisk()
    const history = await open(disk)
    await history.noteCohort(cohort)
    await history.forgetRound()
    expect(await (await open(disk)).interruptedRound()).toBeUndefined()
  })
})
