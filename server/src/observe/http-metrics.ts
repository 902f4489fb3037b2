import type { FastifyInstance } from 'fastify'
import { Counter, Gauge, Histogram, type Registry } from 'prom-client'
import { Traffic } from './traffic.ts'

const REQUEST_BUCKETS_S = [0.001, 0.005, 0.02, 0.1, 0.5, 2, 10, 60]

/** Measures an HTTP server's connections and requests from now on; before it listens. */
export function httpMetrics(registry: Registry, app: FastifyInstance): void {
  const registers = [registry]
  const traffic = new Traffic(app.server)
  const total = (name: string, help: string, value: () => number) =>
    new Counter({
      name,
      help,
      registers,
      collect() {
        this.reset()
        this.inc(value())
      },
    })
  total('fedweave_received_bytes_total', 'Bytes read from all connections.', () => traffic.receivedBytes)
  total('fedweave_sent_bytes_total', 'Bytes written to all connections.', () => traffic.sentBytes)
  gauge(registry, 'fedweave_connections', 'TCP connections that stand.', () => traffic.connections)
  const requests = new Histogram({
    name: 'fedweave_request_seconds',
    help: 'HTTP requests by route.',
    labelNames: ['method', 'route', 'status'],
    buckets: REQUEST_BUCKETS_S,
    registers,
  })
  app.addHook('onResponse', async (request, reply) => {
    const { method, url: route = 'none' } = request.routeOptions
    if (typeof method === 'string') requests.observe({ method, route, status: reply.statusCode }, reply.elapsedTime / 1000)
  })
}

/** A value that is read when Prometheus asks. */
export function gauge(registry: Registry, name: string, help: string, value: () => number): Gauge {
  return new Gauge({
    name,
    help,
    registers: [registry],
    collect() {
      this.set(value())
    },
  })
}
