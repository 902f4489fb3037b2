import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { STEADY } from '../../simulations/src/engine/config.ts'
import type { SimulationResult } from '../../simulations/src/engine/record.ts'
import { type SimulateEvent, simulate } from '../../simulations/src/engine/simulate.ts'
import { clouds, cloudsConfig, slope, slopeConfig } from '../unit/simulations/scenarios-for-tests.ts'

const LOSSY = { ...STEADY, dropout: 0.1, speedSpread: 1, overSelection: 1.3 }

describe('a simulation', () => {
  test('ends with the same model for any number of workers, with and without secure aggregation', async () => {
    for (const secure of ['on', 'off'] as const) {
      const config = cloudsConfig({ secure, behaviour: LOSSY, partition: { name: 'linear' } })
      const [one, three] = [await simulate(clouds, config, { workers: 1 }), await simulate(clouds, config, { workers: 3 })]
      expect(three).toEqual(one)
      expect(one?.rounds).toHaveLength(4)
    }
  })

  test('another seed ends with another model', async () => {
    const [one, two] = [
      await simulate(clouds, cloudsConfig(), { workers: 1 }),
      await simulate(clouds, cloudsConfig({ seed: 2 }), { workers: 1 }),
    ]
    expect(two?.modelHash).not.toBe(one?.modelHash)
  })

  test('under the live protocol every mean is within a quantum of the plain one, clients lost or not', async () => {
    for (const behaviour of [STEADY, LOSSY]) {
      const result = await simulate(clouds, cloudsConfig({ secure: 'check', behaviour }), { workers: 2 })
      for (const { check } of result?.rounds ?? []) expect(check?.largest).toBeLessThanOrEqual(check?.quantum as number)
      expect(result?.rounds.map(({ check }) => check === undefined)).toEqual([false, false, false, false])
    }
  })

  test('after one round the secure and the plain model of one seed differ by a quantum at most, and learn alike', async () => {
    const results = await Promise.all(
      (['on', 'off'] as const).map((secure) => simulate(clouds, cloudsConfig({ secure, rounds: 8 }), { workers: 1 })),
    )
    const [secure, plain] = results.map((result) => result?.rounds.map(({ test: { loss } }) => loss) ?? [])
    const quantum = 10 / 32767
    for (const [i, loss] of secure?.entries() ?? [])
      expect(Math.abs(loss - (plain?.[i] as number))).toBeLessThan(quantum * (i + 1))
    expect(results[0]?.test.accuracy).toBeGreaterThan(0.8)
  })

  test('a round that loses too many clients is repeated with another cohort', async () => {
    const aborted: SimulateEvent[] = []
    const behaviour = { ...STEADY, dropout: 0.4 }
    const config = cloudsConfig({ behaviour, rounds: 6 })
    const result = await simulate(clouds, config, {
      workers: 1,
      onEvent: (event) => event.type === 'aborted' && aborted.push(event),
    })
    expect(result?.rounds).toHaveLength(6)
    expect(aborted.length).toBeGreaterThan(0)
    expect(result?.rounds.reduce((sum, round) => sum + round.aborted, 0)).toBe(aborted.length)
  })

  test('baselines come from the same start: every client alone, and all data together', async () => {
    const config = cloudsConfig({ baselines: true, partition: { name: 'shard', shards: 1 }, clients: 6, fraction: 1 })
    const result = await simulate(clouds, config, { workers: 2 })
    expect(result?.pooled?.accuracy).toBeGreaterThan(0.8)
    for (const { federated, local, pooled, labels } of result?.clients ?? []) {
      expect(local).toBeGreaterThan(0.9) // of one class, which is all it knows
      expect(labels.filter((count) => count > 0)).toHaveLength(1)
      expect([federated, pooled].every((figure) => figure !== undefined && figure >= 0 && figure <= 1)).toBe(true)
    }
  })
})

describe('a simulation of a forecast', () => {
  const config = slopeConfig({ baselines: true })

  test('learns under the live protocol, alike on any number of workers, and is judged in the unit of what it forecasts', async () => {
    const [one, three] = [
      await simulate(slope, { ...config, secure: 'check' }, { workers: 1 }),
      await simulate(slope, { ...config, secure: 'check' }, { workers: 3 }),
    ]
    expect(three).toEqual(one)
    const { test, floor, pooled, rounds, clients } = one as SimulationResult
    expect(test.metric).toBeCloseTo(10 * Math.sqrt(test.loss), 5)
    expect(test.metric).toBeLessThan(1) // metres: the noise is 10 * 0.1 / sqrt(3)
    expect(test).not.toHaveProperty('accuracy')
    expect(rounds.at(-1)).not.toHaveProperty('accuracy')
    expect(floor).toMatchObject({ name: 'the mean', examples: 150 })
    for (const client of clients) {
      expect(client.federated).toBeLessThan(1)
      expect(client.floor).toBeGreaterThan(5)
      expect(client.local).toBeLessThan(client.floor as number)
    }
    expect(pooled?.mae).toBeLessThan(1)
    expect(one?.confusion.flat().reduce((sum, count) => sum + count)).toBe(150)
  })

  test('ends once its error is down to the target', async () => {
    const whole = await simulate(slope, slopeConfig(), { workers: 1 })
    const [, second] = whole?.rounds ?? []
    const result = await simulate(slope, slopeConfig({ target: second?.test.metric as number }), { workers: 1 })
    expect(result?.rounds).toHaveLength(2)
    expect(result?.reached).toBe(2)
  })

  test('can be dealt by ranges of its numbers; then all clients are judged by the same examples', async () => {
    const result = await simulate(slope, slopeConfig({ partition: { name: 'pathological', classes: 1 } }), { workers: 1 })
    expect(result?.judgedBy).toBe('all')
    for (const { labels, federated } of result?.clients ?? []) {
      expect(labels.filter((count) => count > 0)).toHaveLength(1)
      expect(federated).toBe(result?.test.metric)
    }
  })

  test('trains over real sockets too', async () => {
    const result = await simulate(slope, slopeConfig({ rounds: 2 }), { workers: 2, transport: 'socket' })
    expect(result?.rounds).toHaveLength(2)
    expect(result?.test.metric).toBeLessThan(result?.floor?.metric as number)
  })
})

describe('with the real server and real clients over sockets', () => {
  const config = cloudsConfig({ clients: 4, fraction: 1, rounds: 3 })

  test('a simulation trains as in memory, and alike each time where every round asks everybody', async () => {
    const run = () => simulate(clouds, config, { workers: 2, transport: 'socket' })
    const [first, second] = [await run(), await run()]
    expect(first?.rounds.map(({ round, survivors }) => [round, survivors])).toEqual([
      [1, 4],
      [2, 4],
      [3, 4],
    ])
    expect(second?.modelHash).toBe(first?.modelHash)
    expect(first?.test.accuracy).toBeGreaterThan(0.8)
    expect(first?.clients.map(({ rounds }) => rounds)).toEqual([3, 3, 3, 3])
  })

  test('what only a virtual clock can do is refused', async () => {
    for (const changes of [{ secure: 'off' }, { clients: 501 }, { behaviour: { ...STEADY, dropout: 0.1 } }] as const) {
      const refused = simulate(clouds, { ...config, ...changes }, { workers: 1, transport: 'socket' })
      await expect(refused).rejects.toMatchObject({ code: 'FL_USAGE' })
    }
  })
})

describe('an interrupted simulation', () => {
  let folder: string
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'simulate-'))
  })
  afterEach(() => rm(folder, { recursive: true, force: true }))

  test('goes on where it was stopped and ends with the same model', async () => {
    const whole = await simulate(clouds, cloudsConfig(), { workers: 1 })
    const stop = new AbortController()
    const onEvent = (event: SimulateEvent) => event.type === 'round' && event.record.round === 2 && stop.abort()
    expect(await simulate(clouds, cloudsConfig(), { workers: 2, folder, signal: stop.signal, onEvent })).toBeUndefined()
    const events: SimulateEvent[] = []
    const resumed = await simulate(clouds, cloudsConfig(), { workers: 1, folder, onEvent: (event) => events.push(event) })
    expect(events).toContainEqual({ type: 'resumed', round: 2 })
    expect(resumed).toEqual(whole)
  })

  test('a finished run can be given more rounds, but no other settings', async () => {
    await simulate(clouds, cloudsConfig({ rounds: 2 }), { workers: 1, folder })
    const longer = await simulate(clouds, cloudsConfig(), { workers: 1, folder })
    expect(longer).toEqual(await simulate(clouds, cloudsConfig(), { workers: 1 }))
    await expect(simulate(clouds, cloudsConfig({ fraction: 0.25 }), { workers: 1, folder })).rejects.toThrow(
      expect.objectContaining({ code: 'FL_USAGE', message: `the run in ${folder} has fraction 0.5, not 0.25` }),
    )
  })

  test('a damaged state is refused, not guessed at', async () => {
    await simulate(clouds, cloudsConfig({ rounds: 1 }), { workers: 1, folder })
    const path = join(folder, 'state.bin')
    const bytes = await readFile(path)
    bytes.writeUInt8(bytes.readUInt8(100) ^ 1, 100)
    await writeFile(path, bytes)
    await expect(simulate(clouds, cloudsConfig(), { workers: 1, folder })).rejects.toThrow(
      expect.objectContaining({ code: 'FL_STORE_DAMAGED' }),
    )
  })
})
