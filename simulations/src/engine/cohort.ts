import { Random, shuffleInPlace } from '@fedweave/client/training'
import { cohortSize, type SimulationConfig } from './config.ts'
import { seedOf } from './seeds.ts'

/** What becomes of the clients that a round asks, before any of them trains. */
export interface Cohort {
  /** Asked and there, in the order in which they were drawn. */
  readonly invited: readonly number[]
  /** Of these, whose update arrives in time. */
  readonly survivors: readonly number[]
  /** Vanished in mid-round. */
  readonly dropouts: readonly number[]
  /** Too slow for the deadline, or for the first places of an over-selected cohort. */
  readonly stragglers: readonly number[]
  /** Virtual seconds that the round takes. */
  readonly seconds: number
}

const DAY = 86_400
/** Virtual seconds that a client of average speed takes for one example, and for everything but training. */
const SECONDS_PER_EXAMPLE = 0.01
const SECONDS_PER_ROUND = 5

/**
 * Draws the cohort of a round and what becomes of each client in it. `attempt`: from 0, for a round that is repeated;
 * `now`: virtual seconds since the start; `work`: examples that a client trains on in a round.
 */
export function drawCohort(
  config: SimulationConfig,
  round: number,
  attempt: number,
  now: number,
  work: (client: number) => number,
): Cohort {
  const { seed, behaviour } = config
  const random = new Random(seedOf('cohort', seed, round, attempt))
  const wanted = cohortSize(config)
  const asked = Math.min(config.clients, Math.ceil(wanted * behaviour.overSelection))
  const invited = sample(config.clients, asked, random, (client) => isThere(config, client, now, random))
  const dropouts = invited.filter(() => chance(random) < behaviour.dropout)
  const gone = new Set(dropouts)
  const times = new Map(invited.map((client) => [client, secondsOf(config, client, round, work(client))]))
  const timeOf = (client: number) => times.get(client) as number
  const running = invited.filter((client) => !gone.has(client)).sort((a, b) => timeOf(a) - timeOf(b) || a - b)
  const inTime = running.filter((client) => behaviour.deadline === 0 || timeOf(client) <= behaviour.deadline)
  const counted = new Set(inTime.slice(0, wanted))
  const stragglers = running.filter((client) => !counted.has(client))
  const last = Math.max(...[...counted].map(timeOf), 0)
  const waited = counted.size < wanted && stragglers.length + dropouts.length > 0 ? behaviour.deadline || last : last
  return { invited, survivors: invited.filter((client) => counted.has(client)), dropouts, stragglers, seconds: waited }
}

/**
 * `count` different numbers below `of`, each that `isThere` admits as likely as any other; fewer if no more are there.
 * Takes memory for `count` numbers, not for `of`, while most are there.
 */
function sample(of: number, count: number, random: Random, isThere: (client: number) => boolean): number[] {
  const seen = new Set<number>()
  const drawn: number[] = []
  const ask = (client: number) => {
    seen.add(client)
    if (isThere(client)) drawn.push(client)
  }
  while (drawn.length < count && seen.size < of / 2) {
    const client = random.below(of)
    if (!seen.has(client)) ask(client)
  }
  if (drawn.length === count) return drawn
  const rest = Uint32Array.from({ length: of }, (_, client) => client).filter((client) => !seen.has(client))
  shuffleInPlace(rest, random)
  for (const client of rest) if (drawn.length < count) ask(client)
  return drawn
}

function isThere({ seed, behaviour }: SimulationConfig, client: number, now: number, random: Random): boolean {
  const { availability, diurnal } = behaviour
  if (availability >= 1) return true
  if (!diurnal) return chance(random) < availability
  const shift = seedOf('shift', seed, client) / 2 ** 32
  return (now / DAY + shift) % 1 < availability
}

function secondsOf({ seed, behaviour }: SimulationConfig, client: number, round: number, examples: number): number {
  const { speedSpread } = behaviour
  const own = speedSpread * bell(new Random(seedOf('speed', seed, client)))
  const today = 0.1 * speedSpread * bell(new Random(seedOf('jitter', seed, client, round)))
  return SECONDS_PER_ROUND + examples * SECONDS_PER_EXAMPLE * Math.exp(own + today)
}

function chance(random: Random): number {
  return random.uint32() / 2 ** 32
}

/** Mean 0, variance 1, bell-shaped: the sum of twelve uniform numbers less six (Irwin-Hall). */
function bell(random: Random): number {
  let sum = -6
  for (let i = 0; i < 12; i++) sum += chance(random)
  return sum
}
