import { channelStatement, type ErrorCode, seal, sealKey, sharedKey, taskId } from '@fedweave/aggregator'
import type { HarnessClient, RoundHarness } from '@fedweave/aggregator/testing'
import { describe, expect, test } from 'vitest'
import type { ClientMessage } from '../../../aggregator/src/wire/messages.ts'
import { at, byId, cohortOf, type FromClient, forge, intercept, memoCurves, onesAt, rejectsOf, sumOf } from './cohort.ts'

type Setup = Extract<ClientMessage, { type: 'setup' }>

const OTHER = new Uint8Array(32).fill(7)
const EVERYBODY = [0, 1, 2, 3, 4, 5]
const OTHERS = [1, 2, 3, 4, 5]
const PHASES = ['ready', 'setup', 'ack', 'upload', 'confirm', 'unmask'] as const
type Sent = (typeof PHASES)[number]

/** Six clients: threshold 4, and one may drop out. */
const cohort = () => cohortOf(6)

function expectCommitted(harness: RoundHarness, indices: readonly number[]): void {
  expect(harness.runRound().phase).toBe('completed')
  expect(sumOf(harness)).toEqual(onesAt(harness, indices))
}

/** First in the coordinator's order, so that no phase ends with its message. */
const first = (harness: RoundHarness) => byId(harness)[0] as HarnessClient

/** What the first client sends in a round that nobody disturbs; the same cohort repeats it byte by byte. */
function script(): ReadonlyMap<Sent, FromClient> {
  const harness = cohort()
  const { id } = first(harness)
  const sent = new Map<Sent, FromClient>()
  intercept(harness, (envelope) => {
    const { type } = envelope.message
    if (envelope.to === 'server' && envelope.client === id) sent.set(type as Sent, envelope.message)
    return undefined
  })
  harness.runRound()
  expect([...sent.keys()]).toEqual(PHASES)
  return sent
}

/** An update of this client that is well sealed, but not the one that it masked. */
function otherUpload(harness: RoundHarness, client: HarnessClient, context: Uint8Array): FromClient {
  const shared = sharedKey(memoCurves, client.env.channelSecret, harness.server.coordinatorKey) as Uint8Array
  const sealed = seal(sealKey(shared, context, 'upload', client.id), new Uint8Array(harness.format.plainBytes))
  return { type: 'upload', context, sealed }
}

describe('a message that comes when it must not is refused and changes nothing', () => {
  /** With the client's message of the first column, what each other message gets. */
  const refused: Record<Sent, Record<Sent, ErrorCode>> = {
    ready: {
      ready: 'FL_DUPLICATE',
      setup: 'FL_WRONG_PHASE',
      ack: 'FL_WRONG_PHASE',
      upload: 'FL_WRONG_PHASE',
      confirm: 'FL_WRONG_PHASE',
      unmask: 'FL_WRONG_PHASE',
    },
    setup: {
      ready: 'FL_WRONG_PHASE',
      setup: 'FL_DUPLICATE',
      ack: 'FL_WRONG_PHASE',
      upload: 'FL_WRONG_PHASE',
      confirm: 'FL_WRONG_PHASE',
      unmask: 'FL_WRONG_PHASE',
    },
    ack: {
      ready: 'FL_WRONG_PHASE',
      setup: 'FL_DUPLICATE',
      ack: 'FL_DUPLICATE',
      upload: 'FL_WRONG_PHASE',
      confirm: 'FL_WRONG_PHASE',
      unmask: 'FL_WRONG_PHASE',
    },
    upload: {
      ready: 'FL_WRONG_PHASE',
      setup: 'FL_DUPLICATE',
      ack: 'FL_DUPLICATE',
      upload: 'FL_DUPLICATE',
      confirm: 'FL_WRONG_PHASE',
      unmask: 'FL_WRONG_PHASE',
    },
    confirm: {
      ready: 'FL_WRONG_PHASE',
      setup: 'FL_DUPLICATE',
      ack: 'FL_DUPLICATE',
      upload: 'FL_WRONG_PHASE',
      confirm: 'FL_DUPLICATE',
      unmask: 'FL_WRONG_PHASE',
    },
    unmask: {
      ready: 'FL_WRONG_PHASE',
      setup: 'FL_DUPLICATE',
      ack: 'FL_DUPLICATE',
      upload: 'FL_WRONG_PHASE',
      confirm: 'FL_DUPLICATE',
      unmask: 'FL_DUPLICATE',
    },
  }
  const cases = PHASES.flatMap((moment) => PHASES.map((type) => [type, moment, refused[moment][type]] as const))
  test.each(cases)('"%s" sent with "%s": %s', (type, moment, code) => {
    const harness = cohort()
    const liar = first(harness)
    const extra = script().get(type) as FromClient
    forge(harness, liar, moment, (message) => [message, extra])
    expectCommitted(harness, EVERYBODY)
    expect(rejectsOf(harness, liar)).toMatchObject([{ code }])
  })

  test('after the round everything is refused but a late answer, which nobody needed', () => {
    const harness = cohort()
    const messages = script()
    const liar = first(harness)
    expectCommitted(harness, EVERYBODY)
    for (const type of PHASES) harness.inject({ to: 'server', client: liar.id, message: messages.get(type) as FromClient })
    harness.settle()
    expect(rejectsOf(harness, liar).map(({ message }) => message)).toEqual(
      PHASES.filter((type) => type !== 'unmask').map(
        (type) => `"${type === 'upload' ? 'uploaded' : type}" does not belong to the completed phase of round 1`,
      ),
    )
    for (const client of harness.clients) if (client !== liar) expect(rejectsOf(harness, client)).toEqual([])
  })

  test('a second update that differs is not added', () => {
    const harness = cohort()
    const liar = at(harness, 0)
    forge(harness, liar, 'upload', (upload) => [upload, otherUpload(harness, liar, upload.context)])
    expectCommitted(harness, EVERYBODY)
    expect(rejectsOf(harness, liar)).toMatchObject([{ code: 'FL_DUPLICATE' }])
  })

  test.each(PHASES)('"%s" of another round is stale', (type) => {
    const harness = cohort()
    const liar = first(harness)
    forge(harness, liar, type, (message) => {
      if (message.type === 'upload') return [otherUpload(harness, liar, OTHER), message]
      return [message.type === 'ready' ? { ...message, round: 7 } : ({ ...message, context: OTHER } as FromClient), message]
    })
    expectCommitted(harness, EVERYBODY)
    expect(rejectsOf(harness, liar)).toMatchObject([{ code: 'FL_ROUND_STALE' }])
  })
})

describe('a client that is not in that part of the round is refused', () => {
  test.each(PHASES)('"%s" of a client that was not invited', (type) => {
    const harness = cohort()
    const [witness, outsider] = [at(harness, 0), at(harness, 5)]
    intercept(harness, ({ to, client, message }) => {
      if (to !== 'server' || client !== witness.id || message.type !== type) return undefined
      const own = message.type === 'upload' ? otherUpload(harness, outsider, message.context) : message
      harness.inject({ to: 'server', client: outsider.id, message: own })
      return undefined
    })
    expect(harness.runRound(harness.clients.slice(0, 5)).phase).toBe('completed')
    expect(sumOf(harness)).toEqual(onesAt(harness, [0, 1, 2, 3, 4]))
    expect(rejectsOf(harness, outsider)).toMatchObject([{ code: 'FL_NOT_IN_ROSTER' }])
  })

  test.each(['ack', 'upload'] as const)('"%s" of a client that never shared its keys', (type) => {
    const harness = cohort()
    const [liar, witness] = [at(harness, 0), at(harness, 1)]
    forge(harness, liar, 'setup', () => [])
    intercept(harness, ({ to, client, message }) => {
      if (to !== 'server' || client !== witness.id || message.type !== type) return undefined
      const own = message.type === 'upload' ? otherUpload(harness, liar, message.context) : message
      harness.inject({ to: 'server', client: liar.id, message: own })
      return undefined
    })
    expectCommitted(harness, OTHERS)
    expect(rejectsOf(harness, liar)).toMatchObject([{ code: 'FL_NOT_IN_ROSTER' }])
  })

  test('"upload" of a client that never acknowledged', () => {
    const harness = cohort()
    const [liar, witness] = [at(harness, 0), at(harness, 1)]
    forge(harness, liar, 'ack', () => [])
    forge(harness, witness, 'upload', (upload) => {
      harness.inject({ to: 'server', client: liar.id, message: otherUpload(harness, liar, upload.context) })
      return upload
    })
    expectCommitted(harness, OTHERS)
    expect(rejectsOf(harness, liar)).toMatchObject([{ code: 'FL_NOT_IN_ROSTER' }])
  })

  test('"confirm" of a client whose update did not arrive', () => {
    const harness = cohort()
    const [liar, witness] = [at(harness, 0), at(harness, 1)]
    forge(harness, liar, 'upload', () => [])
    forge(harness, witness, 'confirm', (confirm) => {
      harness.inject({ to: 'server', client: liar.id, message: confirm })
      return confirm
    })
    expectCommitted(harness, OTHERS)
    expect(rejectsOf(harness, liar)).toMatchObject([
      { code: 'FL_NOT_IN_ROSTER', message: 'this client is not among the survivors of round 1' },
    ])
  })

  test('"unmask" of a client that did not confirm', () => {
    const harness = cohort()
    const [liar, witness] = [at(harness, 0), at(harness, 1)]
    forge(harness, liar, 'confirm', () => [])
    forge(harness, witness, 'unmask', (unmask) => {
      harness.inject({ to: 'server', client: liar.id, message: unmask })
      return unmask
    })
    expectCommitted(harness, EVERYBODY)
    expect(rejectsOf(harness, liar)).toMatchObject([
      { code: 'FL_NOT_IN_ROSTER', message: 'this client did not confirm the survivors of round 1' },
    ])
  })
})

describe('a client whose keys would end the round for everybody is left out of it', () => {
  const box = (bytes: number) => new Uint8Array(bytes)
  const setups: readonly (readonly [string, (setup: Setup, harness: RoundHarness) => Setup, RegExp])[] = [
    ['a box is missing', ({ shares, ...rest }) => ({ ...rest, shares: shares.slice(1) }), /must hold one box/],
    [
      'there is a box too many',
      ({ shares, ...rest }) => ({ ...rest, shares: [...shares, ...shares.slice(-1)] }),
      /must hold one box/,
    ],
    [
      'the boxes are in another order',
      ({ shares, ...rest }) => ({ ...rest, shares: [...shares].reverse() }),
      /must hold one box/,
    ],
    [
      'a box is too short',
      ({ shares, ...rest }) => ({
        ...rest,
        shares: shares.map((s) => ({ ...s, box: s.box.slice(0, Math.max(0, s.box.length - 1)) })),
      }),
      /must hold one box/,
    ],
    [
      'it boxed shares for itself',
      ({ shares, ...rest }) => ({ ...rest, shares: shares.map((s) => ({ ...s, box: s.box.length === 0 ? box(204) : s.box })) }),
      /must hold one box/,
    ],
    ['its mask key has low order', (setup) => ({ ...setup, maskKey: new Uint8Array(32) }), /the mask key has low order/],
  ]
  test.each(setups)('%s', (_, change, message) => {
    const harness = cohort()
    const liar = at(harness, 0)
    forge(harness, liar, 'setup', (setup) => change(setup, harness))
    expectCommitted(harness, OTHERS)
    expect(rejectsOf(harness, liar)).toMatchObject([{ code: 'FL_MESSAGE_MALFORMED', message: expect.stringMatching(message) }])
  })

  test('two clients share one mask key: the second is left out', () => {
    const harness = cohort()
    const [one, another] = byId(harness)
    if (one === undefined || another === undefined) return expect.unreachable()
    let key: Uint8Array | undefined
    forge(harness, one, 'setup', (setup) => {
      key = setup.maskKey
      return setup
    })
    forge(harness, another, 'setup', (setup) => ({ ...setup, maskKey: key ?? expect.unreachable() }))
    expectCommitted(
      harness,
      EVERYBODY.filter((index) => index !== another.index),
    )
    expect(rejectsOf(harness, another)).toMatchObject([
      { code: 'FL_MESSAGE_MALFORMED', message: 'malformed message: another client of this round has the same mask key' },
    ])
  })

  test('its channel key has low order', () => {
    const harness = cohort()
    const liar = at(harness, 0)
    const channelKey = new Uint8Array(32)
    const statement = channelStatement(taskId(harness.config.taskId), channelKey, harness.server.coordinatorKey)
    Object.assign(liar.entry, { channelKey, channelSignature: memoCurves.sign(liar.env.identitySeed, statement) })
    expectCommitted(harness, OTHERS)
    expect(rejectsOf(harness, liar)).toMatchObject([{ code: 'FL_MESSAGE_MALFORMED' }])
  })

  test('its certificate ended since it joined', () => {
    const harness = cohort()
    const liar = at(harness, 0)
    Object.assign(liar.entry, { certificate: { ...liar.entry.certificate, notAfter: harness.now / 1000 } })
    expectCommitted(harness, OTHERS)
    expect(rejectsOf(harness, liar)).toMatchObject([{ code: 'FL_CERTIFICATE_INVALID' }])
  })
})
