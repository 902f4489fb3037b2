import { openEntry, signEntry, toHex } from '@fedweave/aggregator'
import type { HarnessClient, RoundHarness } from '@fedweave/aggregator/testing'
import { expect } from 'vitest'
import type { RosterEntry } from '../../aggregator/src/wire/records.ts'
import { abortsOf, memoCurves, rewrite, sentBy, sumOf } from '../unit/aggregator/cohort.ts'
import { attack, cohort, secretOf, updateOf } from './attack.ts'
import type { Defence } from './defences.ts'

const OTHER = new Uint8Array(32).fill(7)

interface View {
  readonly of: string
  readonly off: readonly Defence[]
  /** The deltas of those who are shown it are nothing, so that the sum is the others'. Pasquini et al. 2022. */
  readonly suppresses: boolean
  readonly show: (harness: RoundHarness, misled: readonly HarnessClient[]) => void
}

const views: readonly View[] = [
  {
    of: 'models, on one of which no gradient flows',
    off: ['model-in-context'],
    suppresses: true,
    show: (harness, misled) => {
      const head = forkedHead(harness, { modelAfter: OTHER })
      rewrite(harness, 'invite', (invite) => ({ ...invite, modelHash: OTHER }), misled)
      rewrite(harness, 'start', (start) => ({ ...start, modelHash: OTHER, head }), misled)
    },
  },
  {
    of: 'configs, one of which clips to nothing',
    off: ['config-in-context'],
    suppresses: true,
    show: (harness, misled) => {
      const head = forkedHead(harness, { configHash: OTHER })
      for (const client of misled) Object.assign(client.env, { configHash: OTHER })
      rewrite(harness, 'start', (start) => ({ ...start, configHash: OTHER, head }), misled)
    },
  },
  {
    of: 'rosters',
    off: ['roster-in-context'],
    suppresses: false,
    show: (harness, misled) => {
      // Each side sees a wrong nonce in the entries of the other, which only the other could notice.
      const entry = (theirs: RosterEntry, to: HarnessClient) => {
        const owner = harness.clients.find(
          ({ entry: own }) => toHex(own.channelKey) === toHex(theirs.channelKey),
        ) as HarnessClient
        return misled.includes(owner) === misled.includes(to) ? theirs : { ...theirs, nonce: new Uint8Array(16) }
      }
      rewrite(harness, 'start', (start, to) => ({ ...start, roster: start.roster.map((theirs) => entry(theirs, to)) }))
    },
  },
  {
    of: 'histories of one model',
    off: ['history-in-context'],
    suppresses: false,
    show: (harness, misled) => {
      const head = forkedHead(harness, { at: 1 })
      rewrite(harness, 'start', (start) => ({ ...start, head }), misled)
    },
  },
]

/** The operator's key may be on the server. */
function forkedHead(harness: RoundHarness, changes: object): Uint8Array {
  const { hash: _, ...body } = openEntry(memoCurves, harness.operatorKey, harness.journal.at(-1) as Uint8Array)
  return signEntry(memoCurves, harness.operatorSeed, { ...body, ...changes })
}

/** Whoever holds another context takes no message of this one, so the malicious server translates. */
function relayAcross(harness: RoundHarness): void {
  const { network } = harness
  harness.network = (envelope) => {
    const { state } = harness.client(envelope.client)
    const theirs = 'facts' in state ? state.facts.context : undefined
    const real = harness.state !== undefined && 'facts' in harness.state ? harness.state.facts.context : undefined
    if (theirs === undefined || real === undefined || !('context' in envelope.message)) return network(envelope)
    const translated = { ...envelope.message, context: envelope.to === 'client' ? theirs : real }
    return network({ ...envelope, message: translated } as typeof envelope)
  }
}

const tooFew = (count: number) => `${count} share-holders acknowledged their shares, where 4 are needed`
const noKey = /^nothing authenticates the mask key of client [0-9a-f]{32}$/

/** Five clients, threshold 4: who saw other facts opens no box of the other side, and neither gives nor gets an ack of it. */
const splits = [
  { shown: [1, 2, 3, 4], reasons: [tooFew(1), noKey, noKey, noKey, noKey] },
  { shown: [2, 3, 4], reasons: [tooFew(2), tooFew(2), tooFew(3), tooFew(3), tooFew(3)] },
]

for (const { of, off, suppresses, show } of views) {
  for (const { shown, reasons } of splits) {
    attack(`the cohort is shown two ${of}; ${shown.length} of 5 see the second`, {
      off,
      run: (aggregator) => {
        const delta = (index: number) => (suppresses && shown.includes(index) ? [0, 0, 0, 0, 0, 0] : secretOf({ index }))
        const harness = cohort(aggregator, 5, { update: (index) => updateOf(delta(index)) })
        const misled = harness.clients.filter(({ index }) => shown.includes(index))
        show(harness, misled)
        relayAcross(harness)
        const { phase } = harness.runRound()
        const summed = harness.clients.map(({ index }) => delta(index))
        return { harness, phase, expected: summed.reduce((sum, one) => sum.map((value, i) => value + (one[i] as number))) }
      },
      fails: ({ harness, phase }) => {
        expect(phase).toBe('aborted')
        for (const client of harness.clients) {
          expect(sentBy(client)).toEqual(['ready', 'setup', 'ack', 'aborted'])
          const reason = reasons[client.index] as string | RegExp
          expect(abortsOf(client)).toMatchObject([{ message: expect.stringMatching(reason) }])
        }
      },
      // For the first split and a suppressed delta this is one client's secret: nothing else was in the sum.
      succeeds: ({ harness, phase, expected }) => {
        expect(phase).toBe('completed')
        expect(sumOf(harness)).toEqual(expected)
        if (suppresses && shown.length === 4) expect(expected).toEqual(secretOf({ index: 0 }))
      },
    })
  }
}
