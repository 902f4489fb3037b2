import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { hasChromium, launch } from './support/chromium.ts'
import { type Federation, nodeClient, type Spec, softmaxTask, startFederation } from './support/federation.ts'
import { firstRound, rosters } from './support/journal.ts'
import { heard, join, outcome, People } from './support/people.ts'

/** Secure aggregation that tolerates one corrupt client and a fifth of drop-outs. */
const cohortOf = (size: number): Partial<Spec> => ({
  cohort: { minimum: 3, target: size, overSelection: 1 },
})

describe.skipIf(!hasChromium())('tabs in Chromium', () => {
  let browser: Browser
  let federation: Federation
  let people: People

  beforeAll(async () => {
    browser = await launch()
    people = new People(browser)
  })
  afterEach(async () => {
    await people.leave()
    await federation?.close()
  })
  afterAll(() => browser?.close())

  const tab = async (client: number) => join(await people.open(federation.url), client)
  const committed = () => federation.events.filter(({ type }) => type === 'committed')
  const acknowledged = (count: number) => {
    const acks = () => federation.events.filter((event) => event.type === 'client' && event.progress === 'acknowledged')
    return federation.event(() => acks().length === count)
  }

  it('and two clients in Node finish two secure rounds over real sockets, and commit the mean of their deltas', async () => {
    federation = await startFederation(softmaxTask({ rounds: 2, ...cohortOf(5) }))
    const tabs = await Promise.all([0, 1, 2].map(tab))
    const nodes = [3, 4].map((client) => nodeClient(federation.url, client).run())
    const summaries = await Promise.all([...tabs.map(outcome), ...nodes])
    expect(summaries.map((summary) => 'rounds' in summary && summary.rounds)).toEqual([2, 2, 2, 2, 2])
    expect(new Set(summaries.map((summary) => 'rounds' in summary && summary.modelHash)).size).toBe(1)
    expect(committed()).toMatchObject([{ survivors: 5 }, { survivors: 5 }])
    const { weights, expected, step } = await firstRound(federation, [0, 1, 2, 3, 4])
    expect(weights).toHaveLength(7850)
    const worst = weights.reduce((most, weight, i) => Math.max(most, Math.abs(weight - (expected[i] as number))), 0)
    expect(worst).toBeLessThanOrEqual(step) // stochastic rounding moves each value by less than one step
    expect(await tabs[0]?.evaluate(() => window.client.evaluates)).toBe(false) // the page's policy forbids `eval`
  })

  it('go on without one that is closed after its setup ack', async () => {
    federation = await startFederation(softmaxTask(cohortOf(5)))
    const release = federation.holdUploads()
    const tabs = await Promise.all([0, 1, 2].map(tab))
    const nodes = [3, 4].map((client) => nodeClient(federation.url, client).run())
    await acknowledged(5)
    await tabs[0]?.close()
    release()
    const summaries = await Promise.all([...tabs.slice(1).map(outcome), ...nodes])
    expect(summaries.map((summary) => 'rounds' in summary && summary.rounds)).toEqual([1, 1, 1, 1])
    expect(committed()).toMatchObject([{ cohort: 5, survivors: 4 }])
  })

  it('are too few as three when one of them is closed: the round is aborted, with the reason', async () => {
    federation = await startFederation(softmaxTask(cohortOf(3)))
    const release = federation.holdUploads()
    const tabs = await Promise.all([0, 1, 2].map(tab))
    await acknowledged(3)
    await tabs[0]?.close()
    release()
    for (const page of tabs.slice(1)) {
      await heard(page, 'round', { outcome: 'aborted', code: 'FL_TOO_FEW_SURVIVORS' })
      await page.evaluate(() => window.client.leave())
      expect(await outcome(page)).toEqual({ rounds: 0 })
    }
    expect(committed()).toEqual([])
  })

  it('keep their identity over a reload', async () => {
    federation = await startFederation(softmaxTask({ rounds: 2, ...cohortOf(3) }))
    const tabs = await Promise.all([0, 1, 2].map(tab))
    const [first, ...others] = tabs as [Page, ...Page[]]
    await heard(first, 'uploaded')
    await first.evaluate(() => window.client.leave())
    expect(await outcome(first)).toMatchObject({ rounds: 1 }) // the round that counts on it is finished first
    await first.reload()
    await join(first, 0)
    expect(await Promise.all([first, ...others].map(async (page) => outcome(page)))).toMatchObject([
      { rounds: 1 },
      { rounds: 2 },
      { rounds: 2 },
    ])
    const [, one, two] = rosters(federation)
    expect(one).toHaveLength(3)
    expect(two).toEqual(one)
  })

  it('come back after they were offline, and take part in the next round', async () => {
    federation = await startFederation(softmaxTask(cohortOf(3)))
    const [first, second] = await Promise.all([0, 1].map(tab))
    for (const page of [first, second] as Page[]) await heard(page, 'connection', { state: 'connected' })
    await first?.context().setOffline(true)
    await heard(first as Page, 'connection', { state: 'reconnecting' })
    await first?.context().setOffline(false)
    const third = await tab(2)
    const summaries = await Promise.all(([first, second, third] as Page[]).map(outcome))
    expect(summaries).toMatchObject([{ rounds: 1 }, { rounds: 1 }, { rounds: 1 }])
  })
})
