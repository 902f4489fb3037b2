import { createHash, randomBytes } from 'node:crypto'
import { rebuildMasks, seal } from '@fedweave/aggregator'
import { fastestPrg, nodeCurves } from '@fedweave/aggregator/node'
import { RoundHarness } from '@fedweave/aggregator/testing'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ComputePool } from '../../../server/src/compute/compute-pool.ts'
import { unmaskInPlace } from '../../../server/src/compute/unmask.ts'

const CLIENTS = 12
const SIZE = 1000
const prg = fastestPrg()

/** Twelve clients, of whom two vanish after the acks, so that their halves of the pairs must be rebuilt. */
function completedRound() {
  const harness = new RoundHarness({
    clients: CLIENTS,
    seed: 'compute',
    size: SIZE,
    curves: nodeCurves,
    prg,
    update: (index) => ({ delta: new Float32Array(SIZE).fill(index), examples: 1, loss: 1, accuracy: 0.5 }),
  })
  const victims = new Set(harness.clients.slice(0, 2))
  harness.network = (envelope) => {
    const from = harness.client(envelope.client)
    if (envelope.to === 'server' && envelope.message.type === 'ack' && victims.has(from)) from.alive = false
    return [envelope]
  }
  const state = harness.runRound()
  if (state.phase !== 'completed') throw new Error(`the round ended in ${state.phase}`)
  return { harness, state }
}

const { harness, state } = completedRound()
const { config, format } = harness
const alone = format.sum(prg)
alone.unmask(rebuildMasks(nodeCurves, state))

describe.each([1, 2, 3])('a pool of %i threads', (threads) => {
  let pool: ComputePool
  beforeAll(() => {
    pool = new ComputePool(threads)
  })
  afterAll(() => pool.close())

  test('takes the same words off a sum as one thread does alone', async () => {
    const sum = format.sum(prg)
    await unmaskInPlace(sum, SIZE, config, state, pool)
    expect(sum.words()).toEqual(alone.words())
  })

  test('does so where a model is so large that each job holds few masks', async () => {
    const sum = format.sum(prg)
    await unmaskInPlace(sum, 10_000_000, config, state, pool)
    expect(sum.words()).toEqual(alone.words())
  })

  test('expands no masks to zeros', async () => {
    const { update, counters } = await pool.expand({
      config,
      plan: { context: state.facts.context, activeDigest: state.activeDigest, secrets: [] },
    })
    expect(update).toEqual(new Uint32Array(SIZE))
    expect(counters).toEqual(new Uint32Array(4))
  })
})

describe('a sealed upload', () => {
  let pool: ComputePool
  beforeAll(() => {
    pool = new ComputePool(1)
  })
  afterAll(() => pool.close())

  const key = new Uint8Array(randomBytes(32))
  // 1000 words of 20 bits and 16 bytes of counters: without padding, any bytes are an update.
  const plain = new Uint8Array(randomBytes(2516))

  test('is opened to the words of its segments and the digest of its bytes', async () => {
    const opened = await pool.open({ config, key, sealed: seal(key, plain) })
    const parsed = format.parse(plain)
    const digest = createHash('sha256').update(seal(key, plain)).digest('hex')
    expect(opened).toEqual({ ...parsed, digest })
  })

  test.each<[string, (sealed: Uint8Array) => Uint8Array]>([
    ['was changed', (sealed) => sealed.map((byte, i) => (i === 500 ? byte ^ 1 : byte))],
    ['was cut', (sealed) => sealed.slice(0, -1)],
    ['was sealed with another key', () => seal(new Uint8Array(32), plain)],
  ])('that %s is refused, and its thread goes on', async (_, spoil) => {
    await expect(pool.open({ config, key, sealed: spoil(seal(key, plain)) })).rejects.toMatchObject({ code: 'FL_SEAL_BROKEN' })
    await expect(pool.open({ config, key, sealed: seal(key, plain) })).resolves.toBeDefined()
  })
})

test('a dealer whose shares do not give its secret is named, and the pool stays whole', async () => {
  const pool = new ComputePool(2)
  try {
    const [dealer] = state.survivors
    const answers = new Map(
      [...state.answers].map(([holder, { selfSeed, maskKey }]) => {
        const forged = new Map(selfSeed)
        if (dealer !== undefined) forged.set(dealer, new Uint8Array(32).fill(7))
        return [holder, { selfSeed: forged, maskKey }]
      }),
    )
    await expect(unmaskInPlace(format.sum(prg), SIZE, config, { ...state, answers }, pool)).rejects.toMatchObject({
      code: 'FL_TOO_FEW_SHARES',
      message: expect.stringContaining(`client ${dealer}`),
    })
    const sum = format.sum(prg)
    await unmaskInPlace(sum, SIZE, config, state, pool)
    expect(sum.words()).toEqual(alone.words())
  } finally {
    await pool.close()
  }
})
