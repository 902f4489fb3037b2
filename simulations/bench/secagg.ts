import {
  type CoordinatorState,
  type Curves,
  FedweaveError,
  type GraphRule,
  masksOf,
  partsOfUnmasking,
  planUnmasking,
  toHex,
  type UnmaskingPlan,
} from '@fedweave/aggregator'
import { fastestPrg, fastestSecretbox, nodeCurves } from '@fedweave/aggregator/node'
import { type HarnessClient, type Probe, RoundHarness } from '@fedweave/aggregator/testing'
import { ComputePool, unmaskInPlace } from '@fedweave/server'
import { Command } from 'commander'
import { integerOption, numberOption } from '../src/commands/output.ts'
import { streamMs } from './secagg-floor.ts'

export const command = new Command('secagg')
  .description('one secure aggregation of random vectors: setup, masking, unmasking, against the bare mask generator')
  .option('--clients <n>', 'clients in the cohort', '100')
  .option('--dim <n>', 'parameters of the model', '100000')
  .option('--drop <fraction>', 'part of the cohort that vanishes after the acks, so that its masks must be rebuilt', '0.1')
  .option('--neighbours <n>', 'clients that each one shares masks with, about; default: as many as its privacy takes')
  .option('--threads <n>', 'threads that unmask: 1 is this one, more are worker threads', '1')

/** Clients whose work is timed, the last of the cohort. */
const SAMPLED = 10

type Completed = Extract<CoordinatorState, { phase: 'completed' }>

/**
 * Runs a round of both protocol machines and checks the unmasked sum word by word. `unmaskMs` holds all that the server
 * does after the last answer: Shamir, X25519, HKDF, expansion. `floorMs` is what expanding and adding the same number of
 * streams takes on as many threads without any protocol. Times are of one client, or of the whole server.
 */
export async function run(options: Record<string, unknown>): Promise<Record<string, unknown>> {
  const clients = integerOption('clients', options.clients, 3, 10_000)
  const dim = integerOption('dim', options.dim, 1, 10_000_000)
  const drop = numberOption('drop', options.drop, 0, 0.5)
  const threads = integerOption('threads', options.threads, 1, 64)
  const neighbours =
    options.neighbours === undefined ? undefined : integerOption('neighbours', options.neighbours, 4, clients - 1)
  const sampled = Math.min(SAMPLED, clients)
  const spent: Record<Probe, number> = { 'client:setup': 0, 'client:mask': 0, 'server:unmask': 0 }
  let timed = false
  const prg = fastestPrg()
  const random = new Float32Array(dim)
  const plainSum = new Uint32Array(dim)
  const harness = new RoundHarness({
    clients,
    seed: 'bench-secagg',
    size: dim,
    curves: { ...nodeCurves, verify: unlessTimed(() => timed, nodeCurves.verify) },
    prg,
    secretbox: await fastestSecretbox(),
    leaveMasked: true,
    ...(neighbours === undefined ? {} : { graphOf: graphWith(neighbours) }),
    config: (defaults) => ({
      ...defaults,
      secureAggregation: { ...defaults.secureAggregation, clipBound: 1, dropout: Math.max(0.1, drop) },
    }),
    update: (index) => ({ delta: fill(random, index), examples: 1, loss: 1, accuracy: 0.5 }),
    onQuantised: (_index, plain) => add(plainSum, plain.update), // whoever uploads survives: victims vanish before
    probe(name, work, client = 0) {
      timed = client >= clients - sampled
      const from = performance.now()
      const result = work()
      if (timed) spent[name] += performance.now() - from
      timed = false
      return result
    },
    // Whoever has masked uploads at once: a thousand updates under way would not fit into memory.
    next: (underWay) => (underWay.at(-1)?.message.type === 'upload' ? underWay.length - 1 : 0),
  })
  const victims = new Set(harness.clients.slice(0, Math.round(drop * clients)))
  harness.network = (envelope) => {
    const from = harness.client(envelope.client)
    if (envelope.to === 'server' && envelope.message.type === 'ack' && victims.has(from)) from.alive = false
    return [envelope]
  }
  const state = harness.runRound()
  if (state.phase !== 'completed')
    throw new FedweaveError('FL_ROUND_ABORTED', state.phase === 'aborted' ? state.message : `the round ended in ${state.phase}`)

  const survivors = alive(harness.clients).length
  const unmaskMs = await unmask(harness, state, dim, threads)
  const expected = harness.format.sum(prg)
  expected.add({ update: plainSum, counters: new Uint32Array(4) })
  const verified = sameMean(harness, state, expected.decode(survivors, state.facts.context).pseudoGradient)
  const seeds = seedsOf(wholePlan(state))
  const floorMs = seeds * (await streamMs(dim, threads))
  return {
    clients,
    dim,
    neighbours: neighboursOf(harness),
    drop,
    threads,
    clientSetupMs: round(spent['client:setup'] / sampled),
    clientMaskMs: round(spent['client:mask'] / sampled),
    unmaskMs: round(unmaskMs),
    seeds,
    floorMs: round(floorMs),
    ratioToFloor: round(unmaskMs / floorMs),
    bytesPerParam: Number((harness.format.sealedBytes / dim).toFixed(4)),
    verified,
  }
}

/**
 * A sparse graph of about so many neighbours, for comparison with published figures; unlike a task's own graph it promises
 * no privacy. Of k holders picked by each of n clients, 2k - k^2 / (n - 1) are neighbours on average.
 */
function graphWith(neighbours: number): GraphRule {
  return ({ cohort }, clients) => {
    let k = 1
    while (k < clients - 1 && 2 * k - k ** 2 / (clients - 1) < neighbours) k++
    const minimumSurvivors = Math.max(cohort.minimum, Math.ceil(clients / 2))
    return { clients, corrupt: 1, complete: false, holders: k + 1, threshold: (k >> 1) + 2, minimumSurvivors }
  }
}

/**
 * All clients verify the same signatures of the same roster. Those that are timed do so themselves; for the others a
 * signature is verified once, or a cohort of a thousand would spend minutes on it.
 */
function unlessTimed(timed: () => boolean, verify: Curves['verify']): Curves['verify'] {
  const known = new Map<string, boolean>()
  return (key, message, signature) => {
    if (timed()) return verify(key, message, signature)
    const name = [key, message, signature].map(toHex).join()
    const valid = known.get(name) ?? verify(key, message, signature)
    known.set(name, valid)
    return valid
  }
}

/** Masks of a client besides its own, on average. */
function neighboursOf({ clients }: RoundHarness): number {
  const masks = clients.flatMap(({ effects }) =>
    effects.flatMap((effect) => (effect.type === 'upload' ? effect.masks.length - 1 : [])),
  )
  return Math.round(masks.reduce((sum, count) => sum + count, 0) / masks.length)
}

/** Takes the masks off the harness's sum as a server does; returns the milliseconds. */
async function unmask({ sum, config }: RoundHarness, state: Completed, dim: number, threads: number): Promise<number> {
  if (sum === undefined) throw new Error('no round ran')
  if (threads === 1) {
    const from = performance.now()
    sum.unmask(masksOf(nodeCurves, wholePlan(state)))
    return performance.now() - from
  }
  const pool = new ComputePool(threads)
  try {
    // A server's threads are up when it unmasks: they have opened the uploads.
    const nothing = { ...wholePlan(state), secrets: [] }
    await Promise.all(Array.from({ length: threads }, () => pool.expand({ config, plan: nothing })))
    const from = performance.now()
    await unmaskInPlace(sum, dim, config, state, pool)
    return performance.now() - from
  } finally {
    await pool.close()
  }
}

function wholePlan(state: Completed): UnmaskingPlan {
  return planUnmasking(state, partsOfUnmasking(state, 1, Number.MAX_SAFE_INTEGER).flat())
}

function seedsOf({ secrets }: UnmaskingPlan): number {
  return secrets.reduce((sum, { kind }) => sum + ('peers' in kind ? kind.peers.length : 1), 0)
}

/** A vector inside the clip bound that differs from client to client. */
function fill(vector: Float32Array, index: number): Float32Array {
  const scale = 0.9 / Math.sqrt(vector.length)
  for (let i = 0; i < vector.length; i++) vector[i] = Math.sin(i * 0.37 + index) * scale
  return vector
}

function add(sum: Uint32Array, term: Uint32Array): void {
  for (let i = 0; i < sum.length; i++) sum[i] = (sum[i] as number) + (term[i] as number)
}

function sameMean({ sum }: RoundHarness, { survivors, facts }: Completed, expected: Float32Array): boolean {
  const mean = sum?.decode(survivors.length, facts.context).pseudoGradient
  return mean?.every((value, i) => value === expected[i]) ?? false
}

function alive(clients: readonly HarnessClient[]): readonly HarnessClient[] {
  return clients.filter(({ alive }) => alive)
}

function round(ms: number): number {
  return Number(ms.toFixed(2))
}
