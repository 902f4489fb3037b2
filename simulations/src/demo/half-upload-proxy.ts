import type { AddressInfo } from 'node:net'
import { connect, createServer, type Server, type Socket } from 'node:net'

/**
 * A TCP proxy in front of the server for one client. Once armed, it lets half of the client's next upload through, holds
 * the rest, and says so: the moment at which the demo kills that client.
 */
export class HalfUploadProxy {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  #onHalf: (() => void) | undefined
  #half = 0

  private constructor(server: Server) {
    this.#server = server
  }

  static async start(target: { readonly host: string; readonly port: number }): Promise<HalfUploadProxy> {
    const server = createServer()
    const proxy = new HalfUploadProxy(server)
    server.on('connection', (client) => proxy.#pipe(client, connect(target)))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return proxy
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** Resolves when half of an upload of `bytes` is through and the rest is held. */
  holdHalf(bytes: number): Promise<void> {
    this.#half = Math.floor(bytes / 2)
    return new Promise((resolve) => {
      this.#onHalf = resolve
    })
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy()
    this.#server.close()
  }

  #pipe(client: Socket, upstream: Socket): void {
    for (const socket of [client, upstream]) {
      this.#sockets.add(socket)
      socket.on('error', () => socket.destroy()).on('close', () => this.#sockets.delete(socket))
    }
    upstream.pipe(client)
    let uploaded: number | undefined // bytes of this connection's upload so far
    client.on('data', (chunk: Buffer) => {
      if (chunk.subarray(0, 4).toString('latin1') === 'PUT ') uploaded = 0
      if (uploaded !== undefined) uploaded += chunk.length
      const hold = this.#onHalf !== undefined && uploaded !== undefined && uploaded >= this.#half
      if (!hold) {
        if (!upstream.write(chunk)) client.pause()
        return
      }
      const excess = (uploaded ?? 0) - this.#half
      upstream.write(chunk.subarray(0, chunk.length - excess))
      client.pause()
      this.#onHalf?.()
      this.#onHalf = undefined
    })
    upstream.on('drain', () => client.resume())
    client.on('close', () => upstream.destroy())
    upstream.on('close', () => client.destroy())
  }
}
