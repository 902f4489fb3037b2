import type { Server } from 'node:http'
import type { Socket } from 'node:net'

/** What went over the server's sockets, HTTP and websockets alike, since it began to listen. */
export class Traffic {
  readonly #open = new Set<Socket>()
  #received = 0
  #sent = 0

  constructor(server: Server) {
    server.on('connection', (socket: Socket) => {
      this.#open.add(socket)
      socket.once('close', () => {
        this.#open.delete(socket)
        this.#received += socket.bytesRead
        this.#sent += socket.bytesWritten
      })
    })
  }

  /** TCP connections that stand. */
  get connections(): number {
    return this.#open.size
  }

  get receivedBytes(): number {
    return [...this.#open].reduce((sum, { bytesRead }) => sum + bytesRead, this.#received)
  }

  get sentBytes(): number {
    return [...this.#open].reduce((sum, { bytesWritten }) => sum + bytesWritten, this.#sent)
  }
}
