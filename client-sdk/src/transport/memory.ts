import { FedweaveError } from '@fedweave/aggregator'
import type { EnrolmentRequest, Transport } from './transport.ts'

/** A server in the same process, as `inProcessServer` of `@fedweave/server` gives one. */
export interface MemoryServer {
  connect(peer: { send(raw: Uint8Array): void; close(): void }): { receive(raw: Uint8Array): void; closed(): void }
  model(task: string, hash: string): Promise<Uint8Array>
  upload(upload: {
    readonly task: string
    readonly context: string
    readonly session: string
    readonly sealed: Uint8Array
  }): Promise<void>
  enrol(request: EnrolmentRequest): Promise<Uint8Array>
}

/**
 * Both planes without a network: messages are copied and arrive in a later task of the event loop, in order, as they
 * would from a socket.
 */
export function memoryTransport(server: MemoryServer): Transport {
  let connection: ReturnType<MemoryServer['connect']> | undefined
  const later = (work: () => void) => void setTimeout(work, 0)
  return {
    async open(handlers) {
      handlers.opened()
      connection = server.connect({
        send(raw) {
          const copy = raw.slice()
          later(() => handlers.message(copy))
        },
        close: () =>
          later(() =>
            handlers.lost(new FedweaveError('FL_SERVER_UNREACHABLE', 'the server in this process closed the connection')),
          ),
      })
    },
    send(raw) {
      const copy = raw.slice()
      later(() => connection?.receive(copy))
    },
    model: (task, hash) => server.model(task, hash),
    upload: (upload) => server.upload({ ...upload, sealed: upload.sealed.slice() }),
    enrol: (request) => server.enrol(request),
    close() {
      connection?.closed()
      connection = undefined
    },
  }
}
