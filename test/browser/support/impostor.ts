import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { encodeServerMessage } from '@fedweave/aggregator'
import { Server } from 'socket.io'

/** A server whose first message offers a protocol version that nobody here speaks. */
export async function startImpostor() {
  const http = createServer((_, response) => response.writeHead(404).end())
  const io = new Server(http, { transports: ['websocket'] })
  const zeros = (length: number) => new Uint8Array(length)
  const challenge = encodeServerMessage({
    type: 'challenge',
    versions: ['fedweave/v9'],
    nonce: zeros(32),
    coordinatorKey: zeros(32),
    operatorKey: zeros(32),
    signature: zeros(64),
  })
  io.on('connection', (socket) => void socket.emit('fw', challenge))
  http.listen(0, '127.0.0.1')
  await once(http, 'listening')
  return { url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`, close: () => io.close() }
}
