import { certify, type JournalBody, openEntry, signConfig, signEntry, verifyJournal } from '@fedweave/aggregator'
import type { HarnessClient } from '@fedweave/aggregator/testing'
import { describe, expect, test } from 'vitest'
import { cohortOf, memoCurves } from './cohort.ts'

type Cohort = JournalBody['cohorts'][number]

const OTHER = new Uint8Array(32).fill(7)
const STRANGER = '0'.repeat(32) as HarnessClient['id']

/** Three committed rounds of five clients: threshold 4, at least 4 survivors. No test changes it. */
const harness = cohortOf(5)
for (let i = 0; i < 3; i++) harness.runRound()
const [a, b, c, d] = harness.journal as [Uint8Array, Uint8Array, Uint8Array, Uint8Array]
const pins = { operatorKey: harness.operatorKey, enrolmentKey: harness.enrolmentKey }

function problemsOf(entries: readonly Uint8Array[], pinned = pins): readonly string[] {
  return verifyJournal(memoCurves, harness.signedConfig, entries, pinned).problems
}

function bodyOf(index: number): JournalBody {
  const { hash: _, ...body } = openEntry(memoCurves, harness.operatorKey, harness.journal[index] as Uint8Array)
  return body
}

function cohortAt(index: number): Cohort {
  return bodyOf(index).cohorts[0] ?? expect.unreachable()
}

/** A change of the one cohort of a round. */
function inCohort(change: (cohort: Cohort) => Partial<Cohort>) {
  return ({ cohorts }: JournalBody) => ({ cohorts: cohorts.map((cohort) => ({ ...cohort, ...change(cohort) })) })
}

/** The journal with one entry changed by an operator who signs the changed entry, too. */
function changedBy(index: number, change: (body: JournalBody) => Partial<JournalBody>): Uint8Array[] {
  const body = bodyOf(index)
  const signed = signEntry(memoCurves, harness.operatorSeed, { ...body, ...change(body) })
  return harness.journal.map((entry, i) => (i === index ? signed : entry))
}

test('an untouched journal has no problem', () => {
  expect(verifyJournal(memoCurves, harness.signedConfig, harness.journal, pins)).toEqual({
    rounds: 3,
    transcripts: 15,
    problems: [],
  })
})

describe('without the operator key', () => {
  test('a changed byte of any entry is found', () => {
    for (const index of [0, 1, 2, 3]) {
      const entries = harness.journal.map((entry, i) =>
        i === index ? entry.map((byte, at) => (at === 60 ? byte ^ 1 : byte)) : entry,
      )
      expect(problemsOf(entries)).toEqual([
        expect.stringMatching(new RegExp(`^entry ${index}: a journal entry is not signed by the operator key`)),
      ])
    }
  })

  test('entries in another order are found', () => {
    expect(problemsOf([a, c, b, d])).toContain('entry 1: it does not continue the entry before')
    expect(problemsOf([b, a, c, d])).toContain('entry 0: it is not the first entry of this task')
  })

  test('a missing entry is found, and so is one that is there twice', () => {
    expect(problemsOf([b, c, d])).toContain('entry 0: it is not the first entry of this task')
    expect(problemsOf([a, b, d])).toContain('entry 2: it does not continue the entry before')
    expect(problemsOf([a, b, b, c, d])).toContain('entry 2: it does not continue the entry before')
    expect(problemsOf([])).toEqual(['the journal is empty'])
  })

  test('a journal cut at its end is whole: only who remembers its head can tell', () => {
    expect(problemsOf(harness.journal.slice(0, 2))).toEqual([])
  })

  test('an entry of another operator is found, and one that is no entry', () => {
    const foreign = signEntry(memoCurves, OTHER, bodyOf(2))
    expect(problemsOf([a, b, foreign, d])).toEqual([
      expect.stringMatching(/^entry 2: a journal entry is not signed by the operator key/),
    ])
    expect(problemsOf([a, b, OTHER, d])).toEqual([expect.stringMatching(/^entry 2: malformed message/)])
  })

  test('a config of another operator, or of another enrolment key than the pinned one, is found', () => {
    const foreign = signConfig(memoCurves, OTHER, harness.config)
    expect(verifyJournal(memoCurves, foreign, harness.journal, pins)).toEqual({
      rounds: 0,
      transcripts: 0,
      problems: [expect.stringMatching(/^the task config is not signed by the operator key/)],
    })
    const problems = problemsOf(harness.journal, { ...pins, enrolmentKey: OTHER })
    expect(problems[0]).toMatch(/^the config names the enrolment key/)
    expect(problems.slice(1)).toHaveLength(3) // and nobody in the three rounds is certified by the pinned key
  })
})

describe('with the operator key', () => {
  const changes: readonly (readonly [string, (body: JournalBody) => Partial<JournalBody>, string | RegExp])[] = [
    ['an entry skips a place', ({ index }) => ({ index: index + 1 }), 'it does not continue the entry before'],
    ['an entry follows another one', () => ({ previous: OTHER }), 'it does not continue the entry before'],
    ['a round starts from another model', () => ({ modelBefore: OTHER }), 'its base is not the model that was committed before'],
    ['a round is not after the one before', () => ({ round: 1 }), 'round 1 does not come after round 1'],
    ['a round is of another config', () => ({ configHash: OTHER }), 'it was made under another task config'],
    ['a round is of another task', () => ({ task: 'other' }), 'it was made under another task config'],
    ['a round sums no cohort', () => ({ cohorts: [] }), 'it sums 0 cohorts, where more than half of 1 are due'],
    [
      'a round sums more cohorts than it has',
      ({ cohorts }) => ({ cohorts: [...cohorts, ...cohorts] }),
      'it sums 2 cohorts, where more than half of 1 are due',
    ],
    [
      'a roster is not sorted',
      inCohort(({ roster }) => ({ roster: [...roster].reverse() })),
      'its lists of clients are not sorted sets',
    ],
    [
      'U1 is not sorted',
      inCohort(({ members }) => ({ members: [...members].reverse() })),
      'its lists of clients are not sorted sets',
    ],
    [
      'the active clients are not sorted',
      inCohort(({ active }) => ({ active: [...active].reverse() })),
      'its lists of clients are not sorted sets',
    ],
    [
      'an active client is outside the roster',
      inCohort(({ active }) => ({ active: [...active, 5] })),
      'its lists of clients are not sorted sets',
    ],
    [
      'a survivor counts twice',
      inCohort(({ survivors }) => ({ survivors: [...survivors, ...survivors.slice(-1)] })),
      'its lists of clients are not sorted sets',
    ],
    [
      'a survivor never joined',
      inCohort(({ survivors }) => ({ survivors: [STRANGER, ...survivors] })),
      'a client survived that never joined',
    ],
    ['a survivor was not active', inCohort(({ active }) => ({ active: active.slice(1) })), 'a client survived that never joined'],
    [
      'an active client never shared its keys',
      inCohort(({ members }) => ({ members: members.slice(1) })),
      'a client survived that never joined',
    ],
    [
      'a client of U1 was not invited',
      inCohort(({ members }) => ({ members: [{ id: STRANGER, maskKey: OTHER, holders: [] }, ...members] })),
      'a client survived that never joined',
    ],
    [
      'a roster is too small to be secure',
      inCohort(({ roster, members }) => ({
        roster: roster.slice(0, 2),
        members: members.slice(0, 2),
        active: [0, 1],
        survivors: [],
        transcripts: [],
      })),
      'secure aggregation needs 3 clients, got 2',
    ],
    [
      'the survivors are below the minimum',
      inCohort(({ survivors }) => ({ survivors: survivors.slice(0, 3) })),
      '3 survivors are below the minimum of 4',
    ],
    [
      'a client is certified by another enrolment key',
      inCohort(({ roster }) => ({
        roster: roster.map((entry, i) =>
          i === 1 ? { ...entry, certificate: certify(memoCurves, OTHER, entry.certificate.identityKey, 4_000_000_000) } : entry,
        ),
      })),
      /^client [0-9a-f]{32} was not certified$/,
    ],
    ['every certificate had expired', () => ({ at: 4_000_000_000_000 }), /^client [0-9a-f]{32} was not certified$/],
    [
      'a channel key was put in by the server',
      inCohort(({ roster }) => ({ roster: roster.map((entry, i) => (i === 1 ? { ...entry, channelKey: OTHER } : entry)) })),
      /^client [0-9a-f]{32} was not certified$/,
    ],
    ['the round ran with another coordinator key', () => ({ coordinatorKey: OTHER }), /^client [0-9a-f]{32} was not certified$/],
    [
      'the transcripts are of the round before',
      inCohort(() => ({ transcripts: cohortAt(1).transcripts })),
      /^the transcript of client [0-9a-f]{32} is not of this round$/,
    ],
    [
      'the clients confirmed other survivors',
      inCohort(({ survivors, transcripts }) => ({
        survivors: survivors.slice(1),
        transcripts: transcripts.filter(({ id }) => id !== survivors[0]),
      })),
      /^the transcript of client [0-9a-f]{32} is not of this round$/,
    ],
    [
      'the clients masked among others',
      inCohort(({ active, survivors, transcripts }) => ({
        active: active.slice(0, -1),
        survivors: survivors.slice(0, -1),
        transcripts: transcripts.filter(({ id }) => id !== survivors.at(-1)),
      })),
      /^the transcript of client [0-9a-f]{32} is not of this round$/,
    ],
    [
      'the clients confirmed other mask keys',
      inCohort(({ members }) => ({ members: members.map((member, i) => (i === 0 ? { ...member, maskKey: OTHER } : member)) })),
      /^the transcript of client [0-9a-f]{32} is not of this round$/,
    ],
    [
      'the clients saw another roster',
      inCohort(({ roster }) => ({
        roster: roster.map((entry, i) => (i === 0 ? { ...entry, nonce: new Uint8Array(16) } : entry)),
      })),
      /^the transcript of client [0-9a-f]{32} is not of this round$/,
    ],
    [
      'a transcript is of a client that did not survive',
      inCohort(({ transcripts }) => ({ transcripts: [{ id: STRANGER, signature: new Uint8Array(64) }, ...transcripts] })),
      'the transcript of client 00000000000000000000000000000000 is not of this round',
    ],
    [
      'too few signed',
      inCohort(({ transcripts }) => ({ transcripts: transcripts.slice(0, 3) })),
      '3 transcripts are fewer than the threshold of 4',
    ],
    [
      'one of them signed twice',
      inCohort(({ transcripts }) => ({ transcripts: [...transcripts.slice(0, 3), ...transcripts.slice(0, 3)] })),
      '3 transcripts are fewer than the threshold of 4',
    ],
  ]
  test.each(changes)('%s', (_, change, problem) => {
    const found = problemsOf(changedBy(2, change)).filter((line) => line.startsWith('entry 2: '))
    const texts = found.map((line) => line.slice('entry 2: '.length))
    expect(texts).toContainEqual(typeof problem === 'string' ? problem : expect.stringMatching(problem))
  })

  const firsts: readonly (readonly [string, Partial<JournalBody>])[] = [
    ['task', { task: 'other' }],
    ['model', { modelAfter: OTHER }],
    ['config', { configHash: OTHER }],
  ]
  test.each(firsts)('another %s begins the journal', (_, change) => {
    expect(problemsOf(changedBy(0, () => change))).toContain('entry 0: it is not the first entry of this task')
  })

  test('a client counts in two cohorts of one round', () => {
    const two = cohortOf(5, { config: (defaults) => ({ ...defaults, cohort: { ...defaults.cohort, groups: 2 } }) })
    two.runRound()
    const { hash: _, ...body } = openEntry(memoCurves, two.operatorKey, two.journal[1] as Uint8Array)
    const twice = { cohorts: [...body.cohorts, ...body.cohorts], aggregates: [...body.aggregates, ...body.aggregates] }
    const problems = (change: Partial<JournalBody>) => {
      const changed = signEntry(memoCurves, two.operatorSeed, { ...body, ...change })
      return verifyJournal(memoCurves, two.signedConfig, [two.journal[0] as Uint8Array, changed], pins).problems
    }
    expect(problems(twice)).toEqual(['entry 1: a client is in two of its cohorts'])
    expect(problems({ ...twice, aggregates: body.aggregates })).toEqual(['entry 1: it names 1 sums of 2 cohorts'])
  })

  test('whatever else is changed breaks the chain', () => {
    expect(problemsOf(changedBy(2, () => ({ weight: 99 })))).toEqual(['entry 3: it does not continue the entry before'])
  })

  test('an operator who signs the rest of the journal anew is found by what the clients signed', () => {
    const second = changedBy(2, () => ({ weight: 99 }))
    const { hash } = openEntry(memoCurves, harness.operatorKey, second[2] as Uint8Array)
    const both = [...second.slice(0, 3), changedBy(3, () => ({ previous: hash }))[3] as Uint8Array]
    expect(problemsOf(both)).toEqual([
      expect.stringMatching(/^entry 3: the transcript of client [0-9a-f]{32} is not of this round$/),
    ])
  })
})
