import { MAX_CLIENT_MESSAGE_BYTES } from '@fedweave/aggregator'
import type { FastifyInstance } from 'fastify'
import type { Hub } from '../hub.ts'
import { socketIo } from '../plugins/socket-io.ts'

/** The one event of the control plane, in both directions: one binary message of the wire format. */
const EVENT = 'fw'
/** Socket.IO's own framing around the largest message. */
const FRAMING_BYTES = 1024

/** The control plane: small messages over websockets. Model and updates travel over HTTP. */
export async function gateway(app: FastifyInstance, hub: Hub): Promise<void> {
  await app.register(socketIo, {
    transports: ['websocket'],
    serveClient: false,
    perMessageDeflate: false,
    maxHttpBufferSize: MAX_CLIENT_MESSAGE_BYTES + FRAMING_BYTES,
    connectTimeout: 10_000,
  })
  app.io.on('connection', (socket) => {
    const connection = hub.connect({
      send: (raw) => void socket.emit(EVENT, raw),
      close: () => setImmediate(() => socket.disconnect(true)), // after what was emitted
    })
    socket.on(EVENT, (raw: unknown) => {
      if (raw instanceof Uint8Array) guard(() => connection.receive(raw))
      else socket.disconnect(true)
    })
    socket.on('disconnect', () => connection.closed())
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
