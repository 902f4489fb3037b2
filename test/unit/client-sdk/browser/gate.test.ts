import { describe, expect, it } from 'vitest'
import { watchConditions } from '../../../../client-sdk/src/browser/conditions.ts'
import { Gate, type WaitReason } from '../../../../client-sdk/src/browser/gate.ts'
import { Stopper } from '../../../../client-sdk/src/browser/stopper.ts'

class Target extends EventTarget {
  fire(type: string, change: object): void {
    Object.assign(this, change)
    this.dispatchEvent(new Event(type))
  }
}

describe('the gate', () => {
  it('is open when no source has a reason, and tells each change once', async () => {
    const told: (readonly WaitReason[])[] = []
    const gate = new Gate((reasons) => told.push(reasons))
    gate.set('user', ['paused'])
    gate.set('user', ['paused'])
    gate.set('device', ['battery-low'])
    const passed = gate.opened().then(() => gate.isOpen)
    gate.set('user', [])
    gate.set('device', [])
    expect(told).toEqual([['paused'], ['paused', 'battery-low'], ['battery-low'], []])
    expect(await passed).toBe(true)
  })
})

describe('conditions', () => {
  const surroundings = () => ({
    document: Object.assign(new Target(), { visibilityState: 'visible' }),
    connection: Object.assign(new Target(), { type: 'wifi', saveData: false }),
    power: Object.assign(new Target(), { charging: true, level: 0.9 }),
  })
  async function watch(
    ...[conditions, { document, connection, power }]: [Parameters<typeof watchConditions>[0], ReturnType<typeof surroundings>]
  ) {
    let now: readonly WaitReason[] = []
    const place = { document, connection, battery: async () => power }
    const stop = await watchConditions(conditions, place, (reasons) => {
      now = reasons
    })
    return { stop, now: () => now }
  }

  it('follow the page, the battery and the network, until they are no longer watched', async () => {
    const around = surroundings()
    const { now, stop } = await watch({ page: 'visible', battery: 0.3, unmetered: true }, around)
    expect(now()).toEqual([])
    around.document.fire('visibilitychange', { visibilityState: 'hidden' })
    around.power.fire('levelchange', { level: 0.2 })
    expect(now()).toEqual(['page-hidden']) // it charges
    around.power.fire('chargingchange', { charging: false })
    around.connection.fire('change', { type: 'cellular' })
    expect(now()).toEqual(['page-hidden', 'battery-low', 'metered-network'])
    stop()
    around.document.fire('visibilitychange', { visibilityState: 'visible' })
    expect(now()).toHaveLength(3)
  })

  it('count as met where the browser does not tell', async () => {
    let told: readonly WaitReason[] | undefined
    const nothing = { document: undefined, connection: undefined, battery: async () => undefined }
    const all = { page: 'hidden', battery: 1, charging: true, unmetered: true } as const
    await watchConditions(all, nothing, (reasons) => {
      told = reasons
    })
    expect(told).toEqual([])
  })
})

describe('a session is ended', () => {
  const inRound = (...events: ('phase' | 'uploaded' | 'round')[]) => {
    const stopper = new Stopper()
    stopper.start()
    const signal = stopper.next()
    for (const event of events) stopper.observe(event)
    return { stopper, signal }
  }

  it('at once when it is paused before its update has left, and after the round when it has', () => {
    const early = inRound('phase')
    early.stopper.closed(true)
    expect(early.signal.aborted).toBe(true)
    const late = inRound('phase', 'uploaded')
    late.stopper.closed(true)
    expect(late.signal.aborted).toBe(false)
    late.stopper.observe('round')
    expect(late.signal.aborted).toBe(true)
  })

  it('for other examples between rounds only', () => {
    const { stopper, signal } = inRound('phase')
    stopper.refresh()
    expect(signal.aborted).toBe(false)
    stopper.observe('round')
    expect(signal.aborted).toBe(true)
    expect(stopper.next().aborted).toBe(false)
  })

  it('in the next one too when the client leaves', () => {
    const { stopper } = inRound()
    stopper.leave()
    expect(stopper.left).toBe(true)
    expect(stopper.next().aborted).toBe(true)
  })
})
