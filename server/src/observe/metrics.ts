import type { FastifyInstance } from 'fastify'
import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { TaskEvent } from '../coordinator/events.ts'
import { processMetrics } from './process-metrics.ts'
import { taskMetrics } from './task-metrics.ts'
import { Traffic } from './traffic.ts'

const REQUEST_BUCKETS_S = [0.001, 0.005, 0.02, 0.1, 0.5, 2, 10, 60]

/** What Prometheus reads from `GET /metrics`. Nothing in it is secret or of one client. */
export class Metrics {
  /** Takes what a task tells. */
  readonly event: (task: string, event: TaskEvent) => void
  readonly contentType: string
  readonly #registry = new Registry()

  constructor() {
    this.event = taskMetrics(this.#registry)
    this.contentType = this.#registry.contentType
  }

  /** Measures the server's connections, uploads and requests from now on; before it listens. */
  watch(app: FastifyInstance): void {
    const registers = [this.#registry]
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
    const now = (name: string, help: string, value: () => number) => new Gauge({ name, help, registers, collect: gaugeOf(value) })
    total('fedweave_received_bytes_total', 'Bytes read from all connections.', () => traffic.receivedBytes)
    total('fedweave_sent_bytes_total', 'Bytes written to all connections.', () => traffic.sentBytes)
    now('fedweave_connections', 'TCP connections that stand.', () => traffic.connections)
    now('fedweave_websockets', 'Of them, connections of the control plane.', () => app.io.engine.clientsCount)
    now('fedweave_uploads', 'Uploads under way.', () => app.staging.taken)
    now('fedweave_upload_held_bytes', 'Memory that uploads under way hold.', () => app.staging.heldBytes)
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

  /** In Prometheus' text format. */
  text(): Promise<string> {
    return Registry.merge([processMetrics(), this.#registry]).metrics()
  }
}

function gaugeOf(value: () => number) {
  return function collect(this: Gauge): void {
    this.set(value())
  }
}
