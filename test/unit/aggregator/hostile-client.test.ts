import { channelStatement, taskId } from '@fedweave/aggregator'
import type { RoundHarness } from '@fedweave/aggregator/testing'
import { describe, expect, test } from 'vitest'
import type { ClientMessage } from '../../../aggregator/src/wire/messages.ts'
import { at, byId, cohortOf, forge, intercept, memoCurves, onesAt, otherUpload, rejectsOf, sumOf } from './cohort.ts'

type Setup = Extract<ClientMessage, { type: 'setup' }>

const EVERYBODY = [0, 1, 2, 3, 4, 5]
const OTHERS = [1, 2, 3, 4, 5]
const PHASES = ['ready', 'setup', 'ack', 'upload', 'confirm', 'unmask'] as const

/** Six clients: threshold 4, and one may drop out. */
const cohort = () => cohortOf(6)

function expectCommitted(harness: RoundHarness, indices: readonly number[]): void {
  expect(harness.runRound().phase).toBe('completed')
  expect(sumOf(harness)).toEqual(onesAt(harness, indices))
}

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
