import { FedweaveError, fromHex, openConfig, openEntry, verifyJournal } from '@fedweave/aggregator'
import { nodeCurves } from '@fedweave/aggregator/node'
import { verifyModels } from '../verify/models.ts'
import { openSource } from '../verify/source.ts'
import type { Action } from './action.ts'

/** `fedweave verify <source>`: takes nothing on the server's word; its log is checked against pinned keys, its models against the log. */
export const run: Action = async (options, [source = '']) => {
  const pins = {
    operatorKey: keyOption('operator-key', options.operatorKey),
    enrolmentKey: keyOption('enrolment-key', options.enrolmentKey),
  }
  const { signedConfig, signedEntries, kept } = await openSource(source, {
    task: options.task,
    models: options.models === true,
  })
  const journal = verifyJournal(nodeCurves, signedConfig, signedEntries, pins)
  const sound = journal.problems.length === 0 && kept !== undefined
  const models = sound ? await verifyModels(...opened(pins.operatorKey, signedConfig, signedEntries), kept) : undefined
  const report = { ...journal, ...models, problems: [...journal.problems, ...(models?.problems ?? [])] }
  if (options.json === true) console.log(JSON.stringify(report))
  else {
    for (const problem of report.problems) console.log(problem)
    const holds = report.problems.length === 0 ? 'everything holds' : `${report.problems.length} problems`
    const also = models && `, ${models.models} models kept, ${models.replayed} computed again from the sums`
    console.log(`${report.rounds} rounds, ${report.transcripts} transcripts of clients${also ?? ''}: ${holds}`)
  }
  return report.problems.length === 0 ? 0 : 1
}

function opened(operatorKey: Uint8Array, signedConfig: Uint8Array, signedEntries: readonly Uint8Array[]) {
  const { config } = openConfig(nodeCurves, operatorKey, signedConfig)
  return [config, signedEntries.map((signed) => openEntry(nodeCurves, operatorKey, signed))] as const
}

function keyOption(name: string, raw: unknown): Uint8Array {
  if (typeof raw === 'string' && /^[0-9a-f]{64}$/.test(raw)) return fromHex(raw)
  throw new FedweaveError('FL_USAGE', `--${name} takes a public key of 64 hex digits, got ${JSON.stringify(raw)}`)
}
