import fp from 'fastify-plugin'
import { Server, type ServerOptions } from 'socket.io'

declare module 'fastify' {
  interface FastifyInstance {
    io: Server
  }
}

/** Socket.IO on Fastify's own HTTP server; it lets its sockets go before Fastify closes. */
export const socketIo = fp<Partial<ServerOptions>>(
  async (app, options) => {
    const io = new Server(app.server, options)
    app.decorate('io', io)
    app.addHook('preClose', (done) => {
      io.disconnectSockets(true)
      done()
    })
    app.addHook('onClose', async () => void (await io.close()))
  },
  { name: 'socket-io', fastify: '5.x' },
)
