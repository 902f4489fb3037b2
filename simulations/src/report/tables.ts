import type { SimulationResult } from '../engine/record.ts'

/** One line a round. */
export function roundsCsv({ rounds }: SimulationResult): string {
  return csv(
    'round,invited,survivors,dropouts,stragglers,aborted,train_loss,train_accuracy,client_loss_low,client_loss_median,client_loss_high,' +
      'client_accuracy_low,client_accuracy_median,client_accuracy_high,test_loss,test_accuracy,test_metric,upload_bytes,download_bytes,' +
      'virtual_seconds,model_sha256',
    rounds.map((r) => [
      ...[r.round, r.invited, r.survivors, r.dropouts, r.stragglers, r.aborted, r.loss, r.accuracy ?? ''],
      ...[r.lossBand.low, r.lossBand.median, r.lossBand.high],
      ...[r.accuracyBand?.low ?? '', r.accuracyBand?.median ?? '', r.accuracyBand?.high ?? ''],
      ...[r.test.loss, r.test.accuracy ?? '', r.test.metric, r.uploadBytes, r.downloadBytes, r.seconds, r.modelHash],
    ]),
  )
}

/** One line a client. */
export function clientsCsv({ clients, classNames, floor }: SimulationResult): string {
  return csv(
    [...COLUMNS, ...(floor === undefined ? [] : [floor.name]), ...classNames.map((name) => `examples of ${name}`)]
      .map(field)
      .join(','),
    clients.map((c) => [
      ...[c.client, c.name, c.examples, c.rounds, c.federated, c.local ?? '', c.pooled ?? ''],
      ...(c.floor === undefined ? [] : [c.floor]),
      ...c.labels,
    ]),
  )
}

const COLUMNS = ['client', 'name', 'examples', 'rounds', 'federated', 'local', 'pooled']

function csv(head: string, rows: readonly (readonly (string | number)[])[]): string {
  return `${[head, ...rows.map((row) => row.map(field).join(','))].join('\n')}\n`
}

/** RFC 4180. */
function field(value: string | number): string {
  const text = String(value)
  return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
