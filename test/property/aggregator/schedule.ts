import type { ServerMessage } from '@fedweave/aggregator'
import type { Envelope, HarnessClient, RoundHarness } from '@fedweave/aggregator/testing'
import fc from 'fast-check'
import { cohortOf, type FromClient, sumOf } from '../../unit/aggregator/cohort.ts'

const FROM_CLIENT = ['ready', 'setup', 'ack', 'upload', 'confirm', 'unmask', 'aborted'] as const satisfies FromClient['type'][]
const FROM_SERVER = [
  'invite',
  'start',
  'relay',
  'acks',
  'survivors',
  'confirms',
  'result',
  'abort',
  'aborts',
] as const satisfies ServerMessage['type'][]

const HARM = ['drop', 'duplicate', 'delay', 'replay'] as const
const LIES = ['thin', 'abort'] as const

/** Every kind of thing that a plan can make happen, as `Play.happened` names them. */
export const everything: readonly string[] = [
  ...FROM_CLIENT.flatMap((type) => [...HARM, 'death', 'crash'].map((what) => `${what}/${type}`)),
  ...FROM_SERVER.flatMap((type) => [...HARM, ...LIES].map((what) => `${what}/${type}`)),
].sort()

/** The first message of that type between that client and the server in that round. */
interface Place {
  readonly round: number
  readonly client: number
  readonly type: (typeof FROM_CLIENT)[number] | (typeof FROM_SERVER)[number]
}

/** What a network does to a message; `thin` and `abort` are lies of the server: a list cut short, a round called off. */
export interface Fault extends Place {
  readonly does: (typeof HARM)[number] | (typeof LIES)[number]
  readonly pick: number
}

/** A client's process ends as it sends that message. */
export interface Death extends Place {
  readonly delivered: boolean
  /** The server notices at once, or has to wait for the deadline. */
  readonly noticed: boolean
  readonly returns: boolean
}

export interface Plan {
  readonly clients: number
  readonly rounds: number
  readonly faults: readonly Fault[]
  readonly deaths: readonly Death[]
  /** The server gives the round up when the `nth` message of that type is sent. */
  readonly crashes: readonly { readonly round: number; readonly type: FromClient['type']; readonly nth: number }[]
  /** Seed of the order in which messages arrive; 0: the order in which they were sent. */
  readonly order: number
}

const round = fc.oneof({ weight: 3, arbitrary: fc.nat(1) }, { weight: 1, arbitrary: fc.constant(2) })
const client = fc.nat(7)
const fromClient = fc.constantFrom(...FROM_CLIENT)
const fault = fc.oneof(
  fc.record({ round, client, type: fromClient, does: fc.constantFrom(...HARM), pick: fc.nat(7) }),
  fc.record({ round, client, type: fc.constantFrom(...FROM_SERVER), does: fc.constantFrom(...HARM, ...LIES), pick: fc.nat(7) }),
)

export const plans: fc.Arbitrary<Plan> = fc.record({
  clients: fc.oneof(
    { weight: 3, arbitrary: fc.constant(3) },
    { weight: 6, arbitrary: fc.constant(4) },
    { weight: 2, arbitrary: fc.constant(5) },
    { weight: 1, arbitrary: fc.integer({ min: 6, max: 8 }) },
  ),
  rounds: fc.oneof({ weight: 3, arbitrary: fc.constant(2) }, { weight: 1, arbitrary: fc.constant(3) }),
  faults: fc.array(fault, { maxLength: 5 }) as fc.Arbitrary<Fault[]>,
  deaths: fc.array(
    fc.record({ round, client, type: fromClient, delivered: fc.boolean(), noticed: fc.boolean(), returns: fc.boolean() }),
    { maxLength: 2 },
  ),
  crashes: fc.array(fc.record({ round, type: fromClient, nth: fc.nat(5) }), { maxLength: 2 }),
  order: fc.oneof(fc.constant(0), fc.nat(1_000_000)),
})

export interface Sent {
  readonly client: HarnessClient
  readonly message: FromClient
}

export interface RoundRecord {
  readonly phase: string
  /** Indices of the clients in the committed sum; empty when the round was aborted. */
  readonly survivors: readonly number[]
  readonly sum: readonly number[]
  /** Streams taken off the sum, and the answers with which that was done. */
  readonly answers: number
}

export interface Play {
  readonly harness: RoundHarness
  readonly rounds: readonly RoundRecord[]
  /** Everything that clients ever sent, whatever became of it. */
  readonly sent: readonly Sent[]
  /** What happened of the plan. */
  readonly happened: readonly string[]
  /** One line for each message that was sent and each round that ended. */
  readonly trace: readonly string[]
}

/** Runs a plan to its end. The same plan takes the same course. */
export function play(plan: Plan): Play {
  const harness = cohortOf(plan.clients)
  const sent: Sent[] = []
  const trace: string[] = []
  const happened: string[] = []
  const rounds: RoundRecord[] = []
  const random = mulberry32(plan.order)
  const held = new Map<Envelope, number>()
  const old: Envelope[] = []
  let current = 0
  let done = new Set<unknown>()
  let counts = new Map<string, number>()

  /** Whether this entry of the plan is for this message, the first that fits. */
  const hits = (place: Place, envelope: Envelope): boolean => {
    const fits =
      place.round === current &&
      place.type === envelope.message.type &&
      harness.clients[place.client % plan.clients]?.id === envelope.client &&
      !done.has(place)
    if (fits) done.add(place)
    return fits
  }

  harness.network = (envelope) => {
    const { type } = envelope.message
    trace.push(`${harness.now} ${envelope.to} ${envelope.client.slice(0, 8)} ${type}`)
    if (envelope.to === 'server') {
      const from = harness.client(envelope.client)
      sent.push({ client: from, message: envelope.message })
      counts.set(type, (counts.get(type) ?? 0) + 1)
      for (const crash of plan.crashes) {
        if (crash.round !== current || crash.type !== type || counts.get(type) !== crash.nth + 1) continue
        happened.push(`crash/${type}`)
        harness.toServer({ type: 'fail', code: 'FL_SERVER_FAULT', message: 'the server crashed' })
      }
      const death = plan.deaths.find((place) => hits(place, envelope))
      if (death !== undefined && from.alive) {
        from.alive = false
        happened.push(`death/${type}`)
        if (death.noticed) harness.toServer({ type: 'gone', from: from.id })
        if (!death.delivered) return []
      }
    }
    const again = old.filter((before) => before.client === envelope.client && before.message.type === type)
    return [...plan.faults.filter((place) => hits(place, envelope)).reduce(struck, [envelope]), ...again]
  }

  function struck(envelopes: readonly Envelope[], fault: Fault): readonly Envelope[] {
    happened.push(`${fault.does}/${fault.type}`)
    switch (fault.does) {
      case 'drop':
        return []
      case 'duplicate':
        return [...envelopes, ...envelopes.map((envelope) => ({ ...envelope }))]
      case 'delay':
        for (const envelope of envelopes) held.set(envelope, harness.now)
        return envelopes
      case 'replay':
        old.push(...envelopes)
        return envelopes
      case 'thin':
        return envelopes.map((envelope) => thinned(envelope, fault.pick))
      case 'abort':
        return envelopes.flatMap((envelope): Envelope[] => {
          const abort = { type: 'abort', round: current + 1, code: 'FL_SERVER_FAULT', message: 'so it says' } as const
          return [{ to: 'client', client: envelope.client, message: abort }, envelope]
        })
    }
  }

  harness.next = (underWay) => {
    const ready = underWay.flatMap((envelope, i) => ((held.get(envelope) ?? 0) < harness.now ? [i] : []))
    if (plan.order === 0) return ready[0] ?? -1
    return ready[Math.floor(random() ** 2 * ready.length)] ?? -1 // older messages are likelier
  }

  for (; current < plan.rounds; current++) {
    done = new Set()
    counts = new Map()
    const state = harness.runRound()
    const completed = state.phase === 'completed' ? state : undefined
    rounds.push({
      phase: state.phase,
      survivors: completed?.survivors.map((id) => harness.client(id).index).sort((a, b) => a - b) ?? [],
      sum: completed === undefined ? [] : sumOf(harness),
      answers: completed?.answers.size ?? 0,
    })
    trace.push(`round ${current + 1}: ${state.phase} ${rounds.at(-1)?.sum.join('')} at ${harness.now}`)
    for (const { client: index, round: when, returns } of plan.deaths) {
      const dead = harness.clients[index % plan.clients]
      if (when === current && returns && dead !== undefined && !dead.alive) harness.restart(dead)
    }
  }
  return { harness, rounds, sent, happened, trace }
}

/** A list of the server's without one of its items. */
function thinned(envelope: Envelope, pick: number): Envelope {
  if (envelope.to !== 'client') return envelope
  const { message } = envelope
  const without = <T>(items: readonly T[]) => items.filter((_, i) => i !== pick % items.length)
  switch (message.type) {
    case 'relay': {
      const members = without(message.members)
      const shares = message.shares.filter(({ peer }) => members.some(({ id }) => id === peer))
      return { ...envelope, message: { ...message, members, shares } }
    }
    case 'survivors':
      return { ...envelope, message: { ...message, survivors: without(message.survivors) } }
    case 'acks':
      return pick % 2 === 0
        ? { ...envelope, message: { ...message, macs: without(message.macs) } }
        : { ...envelope, message: { ...message, active: without(message.active) } }
    case 'confirms':
    case 'aborts':
      return { ...envelope, message: { ...message, macs: without(message.macs) } }
    default:
      return envelope
  }
}

/** Numbers from 0 to 1, for the order of messages only. */
function mulberry32(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}
