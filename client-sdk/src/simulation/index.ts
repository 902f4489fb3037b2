import { nobleSecretbox, type Runtime } from '@fedweave/aggregator'
import { fastestPrg, nodeCurves } from '@fedweave/aggregator/node'
import { seededEntropy } from '@fedweave/aggregator/testing'
import { type ClientOptions, TaskClient } from '../client.ts'
import { memoryStore } from '../storage/memory.ts'
import type { ClientStore } from '../storage/store.ts'
import type { LocalDataset, Trainer } from '../training/trainer.ts'
import { type MemoryServer, memoryTransport } from '../transport/memory.ts'
import type { Transport } from '../transport/transport.ts'
import { workerTrainer } from '../worker/host.ts'

export { type MemoryServer, memoryTransport } from '../transport/memory.ts'
export { socketTransport } from '../transport/socket.ts'
export type { Transport, TransportHandlers } from '../transport/transport.ts'

export interface SimulatedClientOptions extends ClientOptions {
  /** Every secret of this client follows from it: the run can be repeated, and whoever knows it can unmask everything. */
  readonly entropySeed: string
  /** A server in this process, or the way to one elsewhere. */
  readonly server: MemoryServer | (() => Transport)
  /** Default: a worker thread. */
  readonly trainer?: (dataset: LocalDataset) => Trainer
  readonly store?: ClientStore
  /** Where the client pretends to run. Default: Node. */
  readonly runtime?: Runtime
}

/** A client for simulations and tests: `FederatedClient` with secrets that follow from a seed. Never for live use. */
export function simulatedClient({
  entropySeed,
  server,
  trainer,
  store,
  runtime = 'node',
  ...options
}: SimulatedClientOptions): TaskClient {
  return new TaskClient(options, {
    platform: {
      runtime,
      curves: nodeCurves,
      prg: fastestPrg(),
      secretbox: nobleSecretbox,
      entropy: seededEntropy(entropySeed),
    },
    store: store ?? memoryStore(),
    transport: typeof server === 'function' ? server : () => memoryTransport(server),
    trainer: trainer ?? workerTrainer,
  })
}
