import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { toHex } from '@fedweave/aggregator'
import { WebSocket } from 'ws'
import { joinTokenOf } from './support.ts'

/** What a hostile client does below Socket.IO: raw websocket frames, raw HTTP. */

export interface Attempt {
  /** The join token in hex; absent: a good one of `name`. */
  readonly join?: string
  readonly name?: string
  readonly origin?: string
  readonly headers?: Readonly<Record<string, string>>
}

function endpoint(url: string, { name = 'raw', join = toHex(joinTokenOf(name)) }: Attempt): string {
  return `${url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket${join === '' ? '' : `&join=${join}`}`
}

/** How the server answers the handshake: 101, or the status of its refusal. */
export async function handshake(url: string, attempt: Attempt = {}): Promise<number> {
  const socket = new WebSocket(endpoint(url, attempt), options(attempt))
  return new Promise((resolve, reject) => {
    socket.once('open', () => {
      socket.terminate()
      resolve(101)
    })
    socket.once('unexpected-response', (request, response) => {
      request.destroy()
      resolve(response.statusCode ?? 0)
    })
    socket.once('error', reject)
  })
}

/** An upgraded connection that speaks Engine.IO by hand; Socket.IO's own handshake is the caller's. */
export async function rawConnection(url: string, attempt: Attempt = {}): Promise<WebSocket> {
  const socket = new WebSocket(endpoint(url, attempt), options(attempt))
  socket.on('error', () => undefined)
  await once(socket, 'open')
  return socket
}

/** A connection on which Socket.IO stands, too; resolves with it and the challenge has been sent by then. */
export async function connected(url: string, attempt: Attempt = {}): Promise<WebSocket> {
  const socket = await rawConnection(url, attempt)
  const acknowledged = new Promise<void>((resolve) => {
    socket.on('message', (data, binary) => {
      const text = binary ? '' : data.toString()
      if (text === '2') socket.send('3') // ping, pong
      if (text.startsWith('40')) resolve()
    })
  })
  socket.send('40')
  await acknowledged
  return socket
}

/** One binary message under Socket.IO's event `fw`. */
export function sendMessage(socket: WebSocket, bytes: Uint8Array): void {
  socket.send('451-["fw",{"_placeholder":true,"num":0}]')
  socket.send(bytes)
}

export async function closed(socket: WebSocket): Promise<void> {
  if (socket.readyState !== WebSocket.CLOSED) await once(socket, 'close')
}

/** A TCP connection that has sent `head`; `answer` resolves with all that came until the other side closed it. */
export function rawHttp(url: string, head: string): { readonly socket: Socket; readonly answer: Promise<string> } {
  const { hostname, port } = new URL(url)
  const socket = connect({ host: hostname, port: Number(port) })
  let got = ''
  socket.setEncoding('utf8').on('data', (text: string) => {
    got += text
  })
  socket.on('error', () => undefined)
  if (head !== '') socket.write(head.replaceAll('\n', '\r\n'))
  return { socket, answer: once(socket, 'close').then(() => got) }
}

function options({ origin, headers }: Attempt) {
  return { ...(origin === undefined ? {} : { origin }), ...(headers === undefined ? {} : { headers }) }
}
