import { entryId, fromHex, openConfig, openEntry, TensorLayout, verifyJournal } from '@fedweave/aggregator'
import { nodeCurves } from '@fedweave/aggregator/node'

export interface Outcome {
  readonly accuracy: number
  readonly recall: number
  readonly clients: number
  readonly dropouts: number
  readonly rounds: number
  /** Every round's signatures, contexts and transcripts verify under the pinned keys. */
  readonly secure: boolean
  readonly uploadBytesPerParam: number
  readonly problems: readonly string[]
  readonly transcripts: number
}

/** Reads the result from the server's public journal, after verifying it with keys that the server did not choose. */
export async function readOutcome(
  url: string,
  task: string,
  pins: { readonly operatorKey: string; readonly enrolmentKey: string },
): Promise<Outcome> {
  const response = await fetch(`${url}/v1/tasks/${task}/journal`)
  const journal = (await response.json()) as { config: string; entries: string[] }
  const bytes = (base64: string) => new Uint8Array(Buffer.from(base64, 'base64'))
  const operatorKey = fromHex(pins.operatorKey)
  const signed = journal.entries.map(bytes)
  const report = verifyJournal(nodeCurves, bytes(journal.config), signed, {
    operatorKey,
    enrolmentKey: fromHex(pins.enrolmentKey),
  })
  const { config } = openConfig(nodeCurves, operatorKey, bytes(journal.config))
  const rounds = signed.slice(1).map((entry) => openEntry(nodeCurves, operatorKey, entry))
  const cohorts = rounds.flatMap((entry) => entry.cohorts)
  const parameters = new TensorLayout(config.model.tensors).size
  const evaluation = rounds.at(-1)?.evaluation
  return {
    accuracy: evaluation?.accuracy ?? 0,
    recall: evaluation?.recall ?? 0,
    clients: new Set(cohorts.flatMap(({ roster }) => roster.map(entryId))).size,
    dropouts: cohorts.reduce((sum, { roster, survivors }) => sum + roster.length - survivors.length, 0),
    rounds: report.rounds,
    secure: report.problems.length === 0 && report.rounds > 0,
    uploadBytesPerParam: Math.max(0, ...rounds.map(({ uploadBytes }) => uploadBytes)) / parameters,
    problems: report.problems,
    transcripts: report.transcripts,
  }
}
