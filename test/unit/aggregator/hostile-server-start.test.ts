import {
  certify,
  channelStatement,
  type ErrorCode,
  entryId,
  type JournalBody,
  openEntry,
  signEntry,
  taskId,
} from '@fedweave/aggregator'
import type { HarnessClient, RoundHarness } from '@fedweave/aggregator/testing'
import { describe, expect, test } from 'vitest'
import type { RosterEntry } from '../../../aggregator/src/wire/records.ts'
import { abortsOf, at, cohortOf, memoCurves, rewrite, sentBy } from './cohort.ts'

const OTHER = new Uint8Array(32).fill(7)
const LOW_ORDER = new Uint8Array(32)

/** The operator's key may be on the server: a malicious one signs whatever entry it likes. */
function forgedHead(harness: RoundHarness, changes: Partial<JournalBody>): Uint8Array {
  const { hash: _, ...body } = openEntry(memoCurves, harness.operatorKey, harness.journal.at(-1) as Uint8Array)
  return signEntry(memoCurves, harness.operatorSeed, { ...body, ...changes })
}

/** Runs one round and expects the victim to leave it before it has said anything but that it is ready. */
function expectRefused(harness: RoundHarness, victim: HarnessClient, code: ErrorCode, message: string | RegExp): void {
  const before = sentBy(victim).length
  harness.runRound()
  expect(abortsOf(victim).at(-1)).toEqual({
    type: 'aborted',
    code,
    message: typeof message === 'string' ? message : expect.stringMatching(message),
    uploaded: false,
  })
  expect(sentBy(victim).slice(before)).toEqual(['ready'])
}

describe('a start that does not continue what the client knows is refused', () => {
  test('it names another config than the one signed for the session', () => {
    const harness = cohortOf(5)
    const victim = at(harness, 0)
    rewrite(harness, 'start', (start) => ({ ...start, configHash: OTHER }), [victim])
    expectRefused(harness, victim, 'FL_PROTOCOL_VIOLATION', /^the round names another task config/)
  })

  test('it trains another model than the journal committed last', () => {
    const harness = cohortOf(5)
    const victim = at(harness, 0)
    rewrite(harness, 'invite', (invite) => ({ ...invite, modelHash: OTHER }), [victim])
    rewrite(harness, 'start', (start) => ({ ...start, modelHash: OTHER }), [victim])
    expectRefused(harness, victim, 'FL_PROTOCOL_VIOLATION', /^the round trains another model than the one that the journal/)
  })

  test('it trains another model than it invited to: a spent base cannot come back under the name of a fresh one', () => {
    const harness = cohortOf(5)
    const { modelAfter: spent } = entryAt(harness, 0)
    expect(harness.runRound().phase).toBe('completed')
    harness.journal.push(forgedHead(harness, { index: 2, previous: entryAt(harness, 1).hash, modelAfter: spent }))
    rewrite(harness, 'invite', (invite) => ({ ...invite, modelHash: OTHER }))
    expectRefused(
      harness,
      at(harness, 0),
      'FL_PROTOCOL_VIOLATION',
      'the round trains another model than the one that the invitation named',
    )
    expect(harness.state?.phase).toBe('aborted')
  })

  test.each([0, 1])('its round went back to %i after round 1', (round) => {
    const harness = cohortOf(5)
    const victim = at(harness, 0)
    harness.runRound()
    rewrite(harness, 'invite', (invite) => ({ ...invite, round }), [victim])
    rewrite(harness, 'start', (start) => ({ ...start, round }), [victim])
    // The real coordinator would refuse this "ready"; the malicious one takes it for its own round.
    const { network } = harness
    harness.network = (envelope) =>
      envelope.to === 'server' && envelope.message.type === 'ready' && envelope.message.round === round
        ? network({ ...envelope, message: { ...envelope.message, round: 2 } })
        : network(envelope)
    expectRefused(
      harness,
      victim,
      'FL_PROTOCOL_VIOLATION',
      `round ${round} is not above round 1, which this client has already seen`,
    )
  })

  test('its head is not signed by the operator, or is no entry at all', () => {
    for (const [head, code] of [
      [
        (harness: RoundHarness) => (harness.journal[0] as Uint8Array).map((byte, i) => (i === 40 ? byte ^ 1 : byte)),
        'FL_PIN_MISMATCH',
      ],
      [() => OTHER, 'FL_MESSAGE_MALFORMED'],
    ] as const) {
      const harness = cohortOf(5)
      const victim = at(harness, 0)
      rewrite(harness, 'start', (start) => ({ ...start, head: head(harness) }), [victim])
      expectRefused(harness, victim, code, /./)
    }
  })

  const heads: readonly (readonly [string, (harness: RoundHarness) => Partial<JournalBody>, string])[] = [
    ['belongs to another task', () => ({ task: 'other' }), 'the journal entry belongs to task other'],
    ['was made under another config', () => ({ configHash: OTHER }), 'the journal entry was made under another task config'],
    ['is older than one it saw', () => ({ index: 1 }), 'the journal went back from entry 2 to 1'],
    ['replaces one it saw', () => ({ round: 3 }), 'the journal was forked at entry 2: this client saw another history'],
    [
      'follows another one than it saw',
      () => ({ index: 3, previous: OTHER }),
      'the journal was forked at entry 3: this client saw another history',
    ],
  ]
  test.each(heads)('its head %s', (_, changes, message) => {
    const harness = cohortOf(5)
    const victim = at(harness, 0)
    harness.runRound()
    harness.runRound()
    rewrite(harness, 'start', (start) => ({ ...start, head: forgedHead(harness, changes(harness)) }), [victim])
    expectRefused(harness, victim, 'FL_PROTOCOL_VIOLATION', message)
  })

  test('a start of another round than the invitation says nothing, and the round that was invited to goes on', () => {
    const harness = cohortOf(5)
    rewrite(harness, 'start', (start) => [{ ...start, round: 9 }, start])
    expect(harness.runRound().phase).toBe('completed')
  })
})

describe('a roster in which one entry is not what it must be is refused', () => {
  const byId = (a: RosterEntry, b: RosterEntry) => (entryId(a) < entryId(b) ? -1 : 1)
  const without = (roster: readonly RosterEntry[], client: HarnessClient) =>
    roster.filter((entry) => entryId(entry) !== client.id)
  /** The roster with one client's entry changed. */
  const changed = (roster: readonly RosterEntry[], client: HarnessClient, change: (entry: RosterEntry) => RosterEntry) =>
    roster.map((entry) => (entryId(entry) === client.id ? change(entry) : entry))
  /** What a corrupt client signs for the server: some channel key, for some task and coordinator. */
  const signed = (harness: RoundHarness, client: HarnessClient, channelKey: Uint8Array, coordinatorKey: Uint8Array) => ({
    channelKey,
    channelSignature: memoCurves.sign(
      client.env.identitySeed,
      channelStatement(taskId(harness.config.taskId), channelKey, coordinatorKey),
    ),
  })

  const rosters: readonly (readonly [
    string,
    (roster: readonly RosterEntry[], harness: RoundHarness, me: HarnessClient, peer: HarnessClient) => readonly RosterEntry[],
    ErrorCode,
    RegExp,
  ])[] = [
    ['it is not sorted', (roster) => [...roster].reverse(), 'FL_PROTOCOL_VIOLATION', /^the roster is not a sorted set$/],
    [
      'a client is in it twice',
      (roster) => [...roster, roster[2] as RosterEntry].sort(byId),
      'FL_PROTOCOL_VIOLATION',
      /^the roster is not a sorted set$/,
    ],
    [
      'the own entry is missing',
      (roster, _harness, me) => without(roster, me),
      'FL_PROTOCOL_VIOLATION',
      /^the roster lacks this client's own entry/,
    ],
    [
      'the own nonce is of another round',
      (roster, _harness, me) => changed(roster, me, (entry) => ({ ...entry, nonce: new Uint8Array(16) })),
      'FL_PROTOCOL_VIOLATION',
      /^the roster lacks this client's own entry/,
    ],
    [
      'the own channel key is of another session',
      (roster, harness, me) =>
        changed(roster, me, (entry) => ({ ...entry, ...signed(harness, me, OTHER, harness.server.coordinatorKey) })),
      'FL_PROTOCOL_VIOLATION',
      /^the roster lacks this client's own entry/,
    ],
    [
      'a certificate ends this very second',
      (roster, harness, _me, peer) =>
        changed(roster, peer, (entry) => ({
          ...entry,
          certificate: certify(memoCurves, harness.enrolmentSeed, entry.certificate.identityKey, harness.now / 1000),
        })),
      'FL_PROTOCOL_VIOLATION',
      /is not certified by the enrolment key/,
    ],
    [
      'a certificate was prolonged without a signature',
      (roster, _harness, _me, peer) =>
        changed(roster, peer, (entry) => ({ ...entry, certificate: { ...entry.certificate, notAfter: 5_000_000_000 } })),
      'FL_PROTOCOL_VIOLATION',
      /is not certified by the enrolment key/,
    ],
    [
      'a channel key was signed for another coordinator',
      (roster, harness, _me, peer) => changed(roster, peer, (entry) => ({ ...entry, ...signed(harness, peer, OTHER, OTHER) })),
      'FL_PROTOCOL_VIOLATION',
      /is not certified by the enrolment key/,
    ],
    [
      'a channel key has low order',
      (roster, harness, _me, peer) =>
        changed(roster, peer, (entry) => ({ ...entry, ...signed(harness, peer, LOW_ORDER, harness.server.coordinatorKey) })),
      'FL_PROTOCOL_VIOLATION',
      /^the channel key of client [0-9a-f]{32} has low order$/,
    ],
    [
      'it holds two clients',
      (roster, _harness, me) =>
        roster.filter((entry, i) => entryId(entry) === me.id || i === (entryId(roster[0] as RosterEntry) === me.id ? 1 : 0)),
      'FL_TOO_FEW_CLIENTS',
      /^secure aggregation needs 3 clients, got 2$/,
    ],
  ]
  test.each(rosters)('%s', (_, change, code, message) => {
    const harness = cohortOf(5)
    const [victim, peer] = [at(harness, 0), at(harness, 1)]
    rewrite(harness, 'start', (start) => ({ ...start, roster: change(start.roster, harness, victim, peer) }), [victim])
    expectRefused(harness, victim, code, message)
  })

  test('the coordinator key has low order', () => {
    const harness = cohortOf(5)
    const victim = at(harness, 0)
    Object.assign(victim.env, { coordinatorKey: LOW_ORDER })
    const roster = (entries: readonly RosterEntry[]) =>
      entries.map((entry) => {
        const client = harness.client(entryId(entry))
        return { ...entry, ...signed(harness, client, entry.channelKey, LOW_ORDER) }
      })
    rewrite(harness, 'start', (start) => ({ ...start, roster: roster(start.roster) }), [victim])
    expectRefused(harness, victim, 'FL_PROTOCOL_VIOLATION', 'the coordinator key has low order')
  })
})

function entryAt(harness: RoundHarness, index: number) {
  return openEntry(memoCurves, harness.operatorKey, harness.journal[index] as Uint8Array)
}
