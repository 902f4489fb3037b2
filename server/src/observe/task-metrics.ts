import { Counter, Gauge, Histogram, type Registry } from 'prom-client'
import type { TaskEvent } from '../coordinator/events.ts'

/** From a handshake on a fast network to a day of training. */
const PHASE_BUCKETS_S = [0.1, 0.5, 1, 5, 15, 30, 60, 300, 900, 3600, 14_400, 86_400]
const UNMASK_BUCKETS_S = [0.01, 0.05, 0.1, 0.5, 1, 2, 5, 10, 30, 60, 300]

/**
 * Counts what the tasks tell of themselves. A label is a task, a phase, an outcome or a code, never a client: the number of series
 * stays small, and they say of nobody when he took part.
 */
export function taskMetrics(registry: Registry): (task: string, event: TaskEvent) => void {
  const registers = [registry]
  const rounds = new Counter({
    name: 'fedweave_rounds_total',
    help: 'Rounds that ended, by outcome.',
    labelNames: ['task', 'outcome'],
    registers,
  })
  const aborts = new Counter({
    name: 'fedweave_aborts_total',
    help: 'Cohorts whose round was given up, by error code.',
    labelNames: ['task', 'code'],
    registers,
  })
  const phases = new Histogram({
    name: 'fedweave_phase_seconds',
    help: 'How long cohorts were in each phase.',
    labelNames: ['task', 'phase'],
    buckets: PHASE_BUCKETS_S,
    registers,
  })
  const dropouts = new Counter({
    name: 'fedweave_dropouts_total',
    help: 'Clients that did not get beyond a phase.',
    labelNames: ['task', 'phase'],
    registers,
  })
  const unmasking = new Histogram({
    name: 'fedweave_unmask_seconds',
    help: 'Computing time from the last share to the unmasked sum of a cohort.',
    labelNames: ['task'],
    buckets: UNMASK_BUCKETS_S,
    registers,
  })
  const updates = new Counter({
    name: 'fedweave_updates_total',
    help: 'Masked updates that counted.',
    labelNames: ['task'],
    registers,
  })
  const updateBytes = new Counter({
    name: 'fedweave_update_bytes_total',
    help: 'What those updates took on their sockets.',
    labelNames: ['task'],
    registers,
  })
  const clients = new Gauge({
    name: 'fedweave_clients',
    help: 'Clients that are connected to a task.',
    labelNames: ['task'],
    registers,
  })
  const epsilon = new Gauge({
    name: 'fedweave_privacy_epsilon',
    help: "Differential privacy spent on one client's examples up to the last committed round; +Inf: the task adds no noise.",
    labelNames: ['task'],
    registers,
  })
  const accuracy = new Gauge({
    name: 'fedweave_evaluation_accuracy',
    help: 'Accuracy of the last committed model on held-out data.',
    labelNames: ['task'],
    registers,
  })
  const rmse = new Gauge({
    name: 'fedweave_evaluation_rmse',
    help: 'Root of the mean squared error of the last committed model on held-out data.',
    labelNames: ['task'],
    registers,
  })
  return (task, event) => {
    switch (event.type) {
      case 'clients':
        return clients.set({ task }, event.connected)
      case 'client':
        if (event.progress === 'dropped') dropouts.inc({ task, phase: event.phase ?? 'recruiting' })
        if (event.progress !== 'uploaded') return
        updates.inc({ task })
        return updateBytes.inc({ task }, event.bytes ?? 0)
      case 'phase-ended':
        return phases.observe({ task, phase: event.phase }, event.seconds)
      case 'unmasked':
        return unmasking.observe({ task }, event.seconds)
      case 'committed':
        epsilon.set({ task }, event.privacy?.epsilon ?? Number.POSITIVE_INFINITY)
        if (event.evaluation?.accuracy !== undefined) accuracy.set({ task }, event.evaluation.accuracy)
        if (event.evaluation?.rmse !== undefined) rmse.set({ task }, event.evaluation.rmse)
        return
      case 'aborted':
        return aborts.inc({ task, code: event.code })
      case 'round-ended':
        return rounds.inc({ task, outcome: event.outcome })
      case 'phase':
      case 'state':
      case 'warning':
      case 'finished':
        return
    }
  }
}
