import type { IncomingMessage } from 'node:http'
import type { Socket as TcpSocket } from 'node:net'
import { FedweaveError, MAX_CLIENT_MESSAGE_BYTES } from '@fedweave/aggregator'
import type { FastifyInstance } from 'fastify'
import type { Socket } from 'socket.io'
import { Decoder, Encoder } from 'socket.io-parser'
import type { Door } from '../access/door.ts'
import type { JoinGate } from '../access/join-gate.ts'
import type { Limits } from '../config/limits.ts'
import type { Hub } from '../hub.ts'
import { socketIo } from '../plugins/socket-io.ts'

/** The one event of the control plane, in both directions: one binary message of the wire format. */
const EVENT = 'fw'
/** Socket.IO's own framing around the largest message. */
const FRAMING_BYTES = 1024
const LINGER_MS = 500
const NO_HEADERS = Object.freeze({})

/** One attachment a packet: by default a connection may have ten of the largest frames held before it is anybody's. */
class OneAttachment extends Decoder {
  constructor() {
    super({ maxAttachments: 1 })
  }
}

export interface GatewayOptions {
  readonly door: Door
  readonly gate: JoinGate
  readonly limits: Limits
}

/** The control plane: small messages over websockets. Model and updates travel over HTTP. */
export async function gateway(app: FastifyInstance, hub: Hub, { door, gate, limits }: GatewayOptions): Promise<void> {
  const refusal = (request: IncomingMessage): string | undefined => {
    try {
      door.admit(request, new URL(request.url ?? '/', 'http://x').searchParams.get('join') ?? undefined, gate)
      return undefined
    } catch (error) {
      if (error instanceof FedweaveError) return error.code
      app.log.error({ err: error }, 'a connection could not be judged')
      return 'FL_SERVER_FAULT'
    }
  }
  await app.register(socketIo, {
    transports: ['websocket'],
    serveClient: false,
    perMessageDeflate: false,
    maxHttpBufferSize: MAX_CLIENT_MESSAGE_BYTES + FRAMING_BYTES,
    connectTimeout: limits.handshakeMs,
    parser: { Encoder, Decoder: OneAttachment },
    allowRequest(request, decide) {
      const code = refusal(request)
      decide(code, code === undefined)
    },
  })
  app.io.engine.on('connection', (conn: Socket['conn']) => {
    const left = door.connected(conn.request)
    forgetHeaders(conn.request)
    conn.once('close', () => {
      left()
      letGo(conn.request.socket)
    })
  })
  app.io.on('connection', (socket) => {
    let backlog = 0 // bytes since the last time that the connection took what was waiting
    socket.conn.on('drain', () => {
      backlog = 0
    })
    const connection = hub.connect({
      send(raw) {
        backlog += raw.length
        // A client that does not read is not waited for, as `disconnect` would.
        if (backlog > limits.backlogBytes) socket.conn.close(true)
        else socket.emit(EVENT, raw)
      },
      close: () => setImmediate(() => socket.disconnect(true)), // after what was emitted
    })
    socket.on(EVENT, (raw: unknown) => {
      if (raw instanceof Uint8Array) guard(() => connection.receive(raw))
      else socket.disconnect(true)
    })
    socket.on('disconnect', () => guard(() => connection.closed()))
    /** A fault of ours costs this client its connection, not the process its life. */
    function guard(work: () => void): void {
      try {
        work()
      } catch (error) {
        app.log.error({ err: error }, 'a message could not be handled')
        socket.disconnect(true)
      }
    }
  })
}

/** Nobody asks for them again, and the request lives as long as its connection, of whose memory they are a tenth. */
function forgetHeaders(request: IncomingMessage): void {
  Object.assign(request, { url: '', headers: NO_HEADERS, rawHeaders: [], _query: NO_HEADERS })
}

/**
 * The websocket's closing handshake reads on for half a minute, whatever comes. This reads no more, and leaves the other side a
 * moment to read what it was told.
 */
function letGo(socket: TcpSocket): void {
  setImmediate(() => socket.pause())
  setTimeout(() => socket.destroy(), LINGER_MS).unref()
}
