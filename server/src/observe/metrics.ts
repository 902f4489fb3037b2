import type { FastifyInstance } from 'fastify'
import { Registry } from 'prom-client'
import { gauge, httpMetrics } from './http-metrics.ts'
import { processMetrics } from './process-metrics.ts'

/** What Prometheus reads from `GET /metrics`: the process, its HTTP server, and what else registers. Nothing in it is secret or of one client. */
export class Metrics {
  readonly registry = new Registry()

  /** Measures this server from now on; before it listens. */
  constructor(app: FastifyInstance) {
    httpMetrics(this.registry, app)
  }

  get contentType(): string {
    return this.registry.contentType
  }

  /** In Prometheus' text format. */
  text(): Promise<string> {
    return Registry.merge([processMetrics(), this.registry]).metrics()
  }
}

/** Of the control plane and of uploads. */
export function planeMetrics(registry: Registry, app: FastifyInstance): void {
  gauge(registry, 'fedweave_websockets', 'Connections of the control plane.', () => app.io.engine.clientsCount)
  gauge(registry, 'fedweave_uploads', 'Uploads under way.', () => app.staging.taken)
  gauge(registry, 'fedweave_upload_held_bytes', 'Memory that uploads under way hold.', () => app.staging.heldBytes)
}
