import { equalBytes, fromHex, toHex } from '../core/bytes.ts'
import { taskId } from '../core/ids.ts'
import type { Curves } from '../crypto/curves.ts'
import { activeDigest, contextOf, entryId, isSortedSet, membersDigest, survivorsDigest } from '../secagg/context.ts'
import { attempt, isFault } from '../secagg/fault.ts'
import { placesOf } from '../secagg/graph.ts'
import { verifyRosterEntry } from '../secagg/identity.ts'
import { type CohortRecord, type JournalEntry, openEntry } from '../secagg/journal.ts'
import { graphOf } from '../secagg/params.ts'
import { type OpenedConfig, openConfig } from '../task/signed-config.ts'

/** Keys that the reader got from the operator over another channel. */
export interface JournalPins {
  readonly operatorKey: Uint8Array
  readonly enrolmentKey: Uint8Array
}

export interface JournalReport {
  readonly rounds: number
  /** Survivors of all rounds whose transcript signature held. */
  readonly transcripts: number
  /** One sentence for each thing that does not hold; empty: everything does. */
  readonly problems: readonly string[]
}

/**
 * Checks a task's whole public log from its signed bytes: the operator's signatures, the hash chain, that one model
 * follows the other, and for each round that every client was certified, that the cohort was never below its minimum,
 * and that at least `threshold` survivors signed this very round. Needs nothing of the server's word.
 */
export function verifyJournal(
  curves: Curves,
  signedConfig: Uint8Array,
  entries: readonly Uint8Array[],
  pins: JournalPins,
): JournalReport {
  const opened = attempt(() => openConfig(curves, pins.operatorKey, signedConfig))
  if (isFault(opened)) return { rounds: 0, transcripts: 0, problems: [opened.message] }
  const problems: string[] = []
  if (!equalBytes(fromHex(opened.config.enrolment.key), pins.enrolmentKey)) {
    problems.push(`the config names the enrolment key ${opened.config.enrolment.key}, not the pinned ${toHex(pins.enrolmentKey)}`)
  }
  if (entries.length === 0) problems.push('the journal is empty')
  const verified = new Set<string>()
  let transcripts = 0
  let before: JournalEntry | undefined
  for (const [index, signed] of entries.entries()) {
    const entry = attempt(() => openEntry(curves, pins.operatorKey, signed))
    if (isFault(entry)) {
      problems.push(`entry ${index}: ${entry.message}`)
      break
    }
    const found =
      before === undefined
        ? checkFirst(opened, entry)
        : [...checkLink(opened, before, entry), ...checkRound(curves, opened, entry, pins, verified)]
    problems.push(...found.map((problem) => `entry ${index}: ${problem}`))
    transcripts += entry.cohorts.reduce((sum, cohort) => sum + cohort.transcripts.length, 0)
    before = entry
  }
  return { rounds: Math.max(0, entries.length - 1), transcripts, problems }
}

function checkFirst({ config, configHash }: OpenedConfig, entry: JournalEntry): string[] {
  const ok =
    entry.index === 0 &&
    entry.task === config.taskId &&
    equalBytes(entry.configHash, configHash) &&
    toHex(entry.modelAfter) === config.initialModel
  return ok ? [] : ['it is not the first entry of this task']
}

function checkLink({ config, configHash }: OpenedConfig, before: JournalEntry, entry: JournalEntry): string[] {
  const problems: string[] = []
  if (entry.index !== before.index + 1 || !equalBytes(entry.previous, before.hash))
    problems.push('it does not continue the entry before')
  if (!equalBytes(entry.modelBefore, before.modelAfter)) problems.push('its base is not the model that was committed before')
  if (entry.round <= before.round) problems.push(`round ${entry.round} does not come after round ${before.round}`)
  if (entry.task !== config.taskId || !equalBytes(entry.configHash, configHash))
    problems.push('it was made under another task config')
  return problems
}

function checkRound(
  curves: Curves,
  opened: OpenedConfig,
  entry: JournalEntry,
  pins: JournalPins,
  verified: Set<string>,
): string[] {
  const { groups = 1 } = opened.config.cohort
  if (entry.cohorts.length > groups || 2 * entry.cohorts.length <= groups) {
    return [`it sums ${entry.cohorts.length} cohorts, where more than half of ${groups} are due`]
  }
  if (entry.aggregates.length !== entry.cohorts.length)
    return [`it names ${entry.aggregates.length} sums of ${entry.cohorts.length} cohorts`]
  const everybody = entry.cohorts.flatMap(({ roster }) => roster.map(entryId))
  if (new Set(everybody).size !== everybody.length) return ['a client is in two of its cohorts']
  return entry.cohorts.flatMap((cohort) => checkCohort(curves, opened, entry, cohort, pins, verified))
}

function checkCohort(
  curves: Curves,
  { config, configHash }: OpenedConfig,
  entry: JournalEntry,
  { roster, members, active, survivors, transcripts }: CohortRecord,
  pins: JournalPins,
  verified: Set<string>,
): string[] {
  const { round, coordinatorKey } = entry
  const task = taskId(config.taskId)
  const ids = roster.map(entryId)
  const memberIds = new Set(members.map(({ id }) => id))
  const activeIds = active.flatMap((place) => ids[place] ?? [])
  if (![ids, [...memberIds], activeIds, survivors].every(isSortedSet) || activeIds.length !== active.length) {
    return ['its lists of clients are not sorted sets']
  }
  const inRoster = new Set(ids)
  const inActive = new Set(activeIds)
  const nested =
    [...memberIds].every((id) => inRoster.has(id)) &&
    activeIds.every((id) => memberIds.has(id)) &&
    survivors.every((id) => inActive.has(id))
  if (!nested) return ['a client survived that never joined']
  const graph = attempt(() => graphOf(config, ids.length))
  if (isFault(graph)) return [graph.message]
  if (survivors.length < graph.minimumSurvivors) {
    return [`${survivors.length} survivors are below the minimum of ${graph.minimumSurvivors}`]
  }
  const check = { curves, task, coordinatorKey, enrolmentKey: pins.enrolmentKey, now: entry.at, verified }
  const uncertified = roster.find((client) => !verifyRosterEntry(check, client))
  if (uncertified !== undefined) return [`client ${entryId(uncertified)} was not certified`]

  const context = contextOf({
    ...{ task, round, roster, configHash, coordinatorKey },
    modelHash: entry.modelBefore,
    headHash: entry.previous,
  })
  const digest = survivorsDigest(context, activeDigest(context, membersDigest(context, members), active), survivors)
  const places = placesOf(ids)
  const surviving = new Set(survivors)
  const signers = new Set<string>()
  for (const { id, signature } of transcripts) {
    const identityKey = roster[places.get(id) ?? -1]?.certificate.identityKey
    if (identityKey === undefined || !surviving.has(id) || !curves.verify(identityKey, digest, signature)) {
      return [`the transcript of client ${id} is not of this round`]
    }
    signers.add(id)
  }
  if (signers.size < graph.threshold) {
    return [`${signers.size} transcripts are fewer than the threshold of ${graph.threshold}`]
  }
  return []
}
