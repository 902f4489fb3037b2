import { FedweaveError, toHex } from '@fedweave/aggregator'
import { io } from 'socket.io-client'
import { admissionRefusal, baseUrl, httpPlane } from './http.ts'
import type { Transport } from './transport.ts'

/** The one event of the control plane, in both directions. */
const EVENT = 'fw'

export interface SocketTransportOptions {
  /** How long a broken connection is tried again before the session is given up; default two minutes. */
  readonly giveUpMs?: number
}

/** Control plane over a Socket.IO websocket, bulk plane over HTTP. Throws `FL_USAGE` for a URL that is not http or https. */
export function socketTransport(url: string, { giveUpMs = 120_000 }: SocketTransportOptions = {}): Transport {
  const base = baseUrl(url)
  const socket = io(base.origin, {
    path: `${base.pathname}socket.io`,
    transports: ['websocket'],
    autoConnect: false,
    reconnectionDelay: 250,
    reconnectionDelayMax: 4000,
    timeout: 10_000,
  })
  let giveUp: ReturnType<typeof setTimeout> | undefined
  return {
    ...httpPlane(base),
    open(handlers, signal, joinToken) {
      const showToken = () => {
        socket.io.opts.query = { join: toHex(joinToken()) }
      }
      return new Promise((resolve, reject) => {
        const unreachable = (cause: unknown) =>
          new FedweaveError('FL_SERVER_UNREACHABLE', `cannot reach a Fedweave server at ${base.href}`, { cause })
        socket.on('connect', () => {
          clearTimeout(giveUp)
          handlers.opened()
          resolve()
        })
        socket.on(EVENT, (raw: unknown) => {
          if (raw instanceof ArrayBuffer) handlers.message(new Uint8Array(raw))
          else if (raw instanceof Uint8Array) handlers.message(raw)
        })
        socket.on('disconnect', (reason, cause) => {
          if (reason === 'io client disconnect') return
          giveUp = setTimeout(() => {
            socket.disconnect()
            handlers.lost(unreachable(cause))
          }, giveUpMs)
          handlers.closed()
          if (reason === 'io server disconnect') setTimeout(connect, 250) // Socket.IO leaves that to us
        })
        socket.on('connect_error', (cause) => {
          if (giveUp !== undefined) return // it stood before: Socket.IO tries again
          socket.disconnect()
          // A refused upgrade carries no reason: the bulk plane tells it.
          void admissionRefusal(base, joinToken()).then((refusal) => reject(refusal ?? unreachable(cause)))
        })
        socket.io.on('reconnect_attempt', showToken)
        signal.addEventListener('abort', () => reject(new FedweaveError('FL_STOPPED', 'connecting was given up')), { once: true })
        connect()
      })
      function connect(): void {
        showToken()
        socket.connect()
      }
    },
    send(raw) {
      if (socket.connected) socket.emit(EVENT, raw)
    },
    close() {
      clearTimeout(giveUp)
      socket.off('disconnect')
      socket.disconnect()
    },
  }
}
