import { describe, expect, test } from 'vitest'
import { drawCohort } from '../../../simulations/src/engine/cohort.ts'
import { STEADY } from '../../../simulations/src/engine/config.ts'
import { cloudsConfig } from './scenarios-for-tests.ts'

const rounds = Array.from({ length: 400 }, (_, i) => i + 1)
const draw = (changes: Parameters<typeof cloudsConfig>[0], round: number, now = 0) =>
  drawCohort(cloudsConfig({ clients: 1000, fraction: 0.05, ...changes }), round, 0, now, () => 100)

describe('a cohort', () => {
  test('has C x K different clients, all of them drawn alike over many rounds', () => {
    const times = new Array<number>(1000).fill(0)
    for (const round of rounds) {
      const { invited, survivors } = draw({}, round)
      expect(new Set(invited).size).toBe(50)
      expect(survivors).toEqual(invited)
      for (const client of invited) times[client] = (times[client] as number) + 1
    }
    // 20 expected for each of 1,000: chi squared of 999 degrees of freedom stays below 1,250 but for one time in a million.
    expect(times.reduce((sum, n) => sum + (n - 20) ** 2 / 20, 0)).toBeLessThan(1250)
  })

  test('follows from seed, round and attempt alone', () => {
    expect(draw({}, 3)).toEqual(draw({}, 3))
    expect(draw({}, 3)).not.toEqual(draw({}, 4))
    expect(drawCohort(cloudsConfig(), 1, 1, 0, () => 1)).not.toEqual(drawCohort(cloudsConfig(), 1, 0, 0, () => 1))
  })

  test('loses the part that drops out, each client of it or of none', () => {
    const behaviour = { ...STEADY, dropout: 0.2 }
    let lost = 0
    for (const round of rounds) {
      const { invited, survivors, dropouts } = draw({ behaviour }, round)
      expect([...survivors, ...dropouts].sort((a, b) => a - b)).toEqual([...invited].sort((a, b) => a - b))
      lost += dropouts.length
    }
    expect(lost / (50 * rounds.length)).toBeCloseTo(0.2, 1)
  })

  test('takes the fastest of an over-selected cohort, and waits for the last of them', () => {
    const { invited, survivors, stragglers, seconds } = draw({ behaviour: { ...STEADY, speedSpread: 1, overSelection: 1.5 } }, 1)
    expect([invited.length, survivors.length, stragglers.length]).toEqual([75, 50, 25])
    const all = draw({ behaviour: { ...STEADY, speedSpread: 1 }, fraction: 0.075 }, 1)
    expect(seconds).toBeLessThan(all.seconds)
  })

  test('waits until the deadline where somebody is too slow, and no longer', () => {
    const { stragglers, survivors, seconds } = draw({ behaviour: { ...STEADY, speedSpread: 1, deadline: 6.5 } }, 1)
    expect(stragglers.length).toBeGreaterThan(0)
    expect(survivors.length + stragglers.length).toBe(50)
    expect(seconds).toBe(6.5)
    expect(draw({}, 1).seconds).toBe(6) // 100 examples at 10 ms, and 5 s for the rest
  })

  test('comes from those that are awake: another part of the clients half a virtual day later', () => {
    const behaviour = { ...STEADY, availability: 0.25, diurnal: true }
    const awake = (now: number) => new Set(draw({ behaviour, fraction: 1 }, 1, now).invited)
    const [morning, evening] = [awake(0), awake(43_200)]
    expect(morning.size / 1000).toBeCloseTo(0.25, 1)
    expect([...evening].filter((client) => morning.has(client))).toEqual([])
    expect(awake(86_400)).toEqual(morning)
  })
})
