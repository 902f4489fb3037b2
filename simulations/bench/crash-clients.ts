import { type ClientId, toHex } from '@fedweave/aggregator'
import { simulatedClient, socketTransport } from '@fedweave/client/simulation'
import { newCertified } from './certified.ts'

/** What a client was told of a round that its update counted in. */
export interface Acknowledged {
  readonly client: ClientId
  readonly modelHash: string
}

/** A client of the crash bench: its delta is 1 at its own place and 0 elsewhere, so that the model shows who was counted. */
export interface CrashClient {
  readonly id: ClientId
  readonly place: number
  stop(): Promise<void>
}

export interface CrashClientOptions {
  readonly url: string
  readonly enrolmentSeed: Uint8Array
  /** The parameter at which its delta is 1. */
  readonly place: number
  readonly parameters: number
  readonly acknowledged: (round: Acknowledged) => void
  /** Anything that it noticed; each is a moment at which a kill may come. */
  readonly noticed: () => void
}

/** Joins, and trains until it is stopped; its identity is new. */
export async function crashClient(options: CrashClientOptions): Promise<CrashClient> {
  const { url, enrolmentSeed, place, parameters } = options
  const { id, seed, store } = await newCertified(enrolmentSeed)
  const delta = new Float32Array(parameters)
  delta[place] = 1
  const client = simulatedClient({
    task: 'crash',
    dataset: { xs: new Float32Array(8), shape: [4], labels: Int32Array.of(0, 1) },
    entropySeed: toHex(seed),
    store,
    server: () => socketTransport(url, { giveUpMs: 600_000 }),
    trainer: () => ({
      train: async () => ({ delta, examples: 1, steps: 1, loss: 1, accuracy: 0 }),
      close: async () => undefined,
    }),
  })
  client.on('round', ({ outcome, modelHash }) => {
    if (outcome === 'committed' && modelHash !== undefined) options.acknowledged({ client: id, modelHash })
    options.noticed()
  })
  client.on('phase', options.noticed)
  client.on('uploaded', options.noticed)
  const stop = new AbortController()
  const running = client.run({ signal: stop.signal }).catch(() => undefined)
  return {
    id,
    place,
    async stop() {
      stop.abort()
      await running
    },
  }
}
