import { randomBytes } from 'node:crypto'
import { FedweaveError } from '@fedweave/aggregator'
import { fastestPrg, nodeCurves } from '@fedweave/aggregator/node'
import { type HarnessClient, type Probe, RoundHarness } from '@fedweave/aggregator/testing'
import { Command } from 'commander'
import { integerOption, numberOption } from '../src/commands/output.ts'

export const command = new Command('secagg')
  .description('one secure aggregation of random vectors: setup, masking, unmasking, against the bare mask generator')
  .option('--clients <n>', 'clients in the cohort', '100')
  .option('--dim <n>', 'parameters of the model', '100000')
  .option('--drop <fraction>', 'part of the cohort that vanishes after the acks, so that its masks must be rebuilt', '0.1')

/** Streams expanded to learn what one costs; the floor scales it to all that the unmasking needs. */
const FLOOR_SAMPLES = 100

/**
 * Runs a round of both protocol machines on one thread and checks the unmasked sum word by word. `unmaskMs` holds all
 * that the server does after the last answer: Shamir, X25519, HKDF, expansion. `floorMs` is what expanding and adding
 * the same number of streams takes without any protocol. Times are per client, or for the whole server.
 */
export async function run(options: Record<string, unknown>): Promise<Record<string, unknown>> {
  const clients = integerOption('clients', options.clients, 3, 200)
  const dim = integerOption('dim', options.dim, 1, 10_000_000)
  const drop = numberOption('drop', options.drop, 0, 0.5)
  const spent: Record<Probe, number> = { 'client:setup': 0, 'client:mask': 0, 'server:unmask': 0 }
  const plainSum = new Uint32Array(dim)
  const quantised = new Map<number, Uint32Array>()
  const prg = fastestPrg()
  const random = new Float32Array(dim)
  const harness = new RoundHarness({
    clients,
    seed: 'bench-secagg',
    size: dim,
    curves: nodeCurves,
    prg,
    config: (defaults) => ({
      ...defaults,
      secureAggregation: { ...defaults.secureAggregation, clipBound: 1, dropout: Math.max(0.1, drop) },
    }),
    update: (index) => ({ delta: fill(random, index), examples: 1, loss: 1, accuracy: 0.5 }),
    onQuantised: (index, plain) => void quantised.set(index, plain.update.slice()),
    probe(name, work) {
      const from = performance.now()
      const result = work()
      spent[name] += performance.now() - from
      return result
    },
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

  for (const client of harness.clients) if (client.alive) add(plainSum, quantised.get(client.index))
  const expected = harness.format.sum(prg)
  expected.add({ update: plainSum, counters: new Uint32Array(4) })
  const verified = sameMean(harness, expected.decode(alive(harness.clients).length).pseudoGradient)
  const seeds = harness.masksRemoved
  const floorMs = seeds * streamMs(dim)
  const unmaskMs = spent['server:unmask']
  return {
    clients,
    dim,
    neighbours: clients - 1,
    drop,
    threads: 1,
    clientSetupMs: round(spent['client:setup'] / clients),
    clientMaskMs: round(spent['client:mask'] / alive(harness.clients).length),
    unmaskMs: round(unmaskMs),
    seeds,
    floorMs: round(floorMs),
    ratioToFloor: round(unmaskMs / floorMs),
    bytesPerParam: Number((harness.format.sealedBytes / dim).toFixed(4)),
    verified,
  }
}

/** Milliseconds to expand one stream and add it, the least that unmasking costs a seed. */
function streamMs(dim: number): number {
  const accumulator = fastestPrg().accumulator(dim)
  const keys = Array.from({ length: FLOOR_SAMPLES }, () => new Uint8Array(randomBytes(32)))
  accumulator.addStream(keys[0] as Uint8Array) // warm
  const from = performance.now()
  for (const key of keys) accumulator.addStream(key)
  return (performance.now() - from) / FLOOR_SAMPLES
}

/** A vector inside the clip bound that differs from client to client. */
function fill(vector: Float32Array, index: number): Float32Array {
  const scale = 0.9 / Math.sqrt(vector.length)
  for (let i = 0; i < vector.length; i++) vector[i] = Math.sin(i * 0.37 + index) * scale
  return vector
}

function add(sum: Uint32Array, term: Uint32Array | undefined): void {
  if (term === undefined) throw new Error('a survivor quantised nothing')
  for (let i = 0; i < sum.length; i++) sum[i] = (sum[i] as number) + (term[i] as number)
}

function sameMean(harness: RoundHarness, expected: Float32Array): boolean {
  return harness.aggregate?.pseudoGradient.every((value, i) => value === expected[i]) ?? false
}

function alive(clients: readonly HarnessClient[]): readonly HarnessClient[] {
  return clients.filter(({ alive }) => alive)
}

function round(ms: number): number {
  return Number(ms.toFixed(2))
}
