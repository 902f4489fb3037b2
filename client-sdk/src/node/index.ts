import { randomBytes } from 'node:crypto'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { fastestPrg, nodeCurves } from '@fedweave/aggregator/node'
import { type ClientOptions, TaskClient } from '../client.ts'
import type { ClientStore } from '../storage/store.ts'
import { socketTransport } from '../transport/socket.ts'
import { workerTrainer } from '../worker/host.ts'
import { fileStore } from './file-store.ts'

export type { ClientEvents, RoundEvent } from '../events.ts'
export type { Pins } from '../handshake.ts'
export type { RunSummary } from '../session.ts'
export { memoryStore } from '../storage/memory.ts'
export type { ClientStore, Ledger } from '../storage/store.ts'
export type { LocalDataset } from '../training/trainer.ts'
export { type FileStoreOptions, fileStore } from './file-store.ts'

export interface FederatedClientOptions extends ClientOptions {
  /** The server's http or https URL. */
  readonly url: string
  /** Identity and ledgers; default: files under `~/.fedweave/client`. */
  readonly store?: ClientStore
}

/**
 * A client of one federated task, in Node: trains in a worker thread, keeps its identity in a store, and sends nothing
 * but masked updates.
 *
 *     const client = new FederatedClient({ url: 'http://localhost:8080', task: 'mnist', dataset })
 *     client.on('round', ({ round, evaluation }) => console.log(round, evaluation?.accuracy))
 *     await client.run()
 */
export class FederatedClient extends TaskClient {
  /** Throws `FL_USAGE` for a bad URL, `FL_TASK_ID_INVALID` for a bad task id. */
  constructor(options: FederatedClientOptions) {
    socketTransport(options.url).close() // a bad URL fails here, not in the first call
    super(options, {
      // Secrets come from the platform and from nowhere else; simulation uses `@fedweave/client/simulation`.
      platform: {
        runtime: 'node',
        curves: nodeCurves,
        prg: fastestPrg(),
        entropy: { bytes: (length) => new Uint8Array(randomBytes(length)) },
      },
      store: options.store ?? fileStore(join(homedir(), '.fedweave', 'client')),
      transport: () => socketTransport(options.url),
      trainer: workerTrainer,
    })
  }
}
