import type { Segments } from '@fedweave/aggregator'

/** A round that an earlier run of the server did not finish, and this one can: more than half of its cohorts are at hand. */
export interface InterruptedRound {
  readonly round: number
  /** Cohorts that it had. */
  readonly total: number
  readonly cohorts: readonly InterruptedCohort[]
}

/** A cohort whose clients were asked for shares, and all that finishing it takes but the coordinator's secret key. */
export interface InterruptedCohort {
  readonly round: number
  /** Its index among the cohorts of the round, and how many those were. */
  readonly index: number
  readonly total: number
  /** The coordinator's, to which the clients seal their answers. */
  readonly coordinatorKey: Uint8Array
  /** Hash of the journal entry that the round follows. */
  readonly headHash: Uint8Array
  /** Most bytes that one upload took on its socket. */
  readonly uploadBytes: number
  /** What `resumeRound` goes on with. */
  readonly record: Uint8Array
  /** The sum, still under its masks. */
  readonly sum: Segments<Uint32Array>
}

const COUNTERS_AT = 32 + 32 + 8 + 8 + 4 + 4 + 4 + 4

/** For this machine's disk only. */
export function encodeInterrupted(cohort: InterruptedCohort): Uint8Array {
  const { update, counters } = cohort.sum
  const out = Buffer.alloc(COUNTERS_AT + 4 * (counters.length + update.length) + cohort.record.length)
  out.set(cohort.coordinatorKey)
  out.set(cohort.headHash, 32)
  out.writeDoubleLE(cohort.round, 64)
  out.writeDoubleLE(cohort.uploadBytes, 72)
  out.writeUInt32LE(counters.length, 80)
  out.writeUInt32LE(update.length, 84)
  out.writeUInt32LE(cohort.index, 88)
  out.writeUInt32LE(cohort.total, 92)
  out.set(bytesOf(counters), COUNTERS_AT)
  out.set(bytesOf(update), COUNTERS_AT + 4 * counters.length)
  out.set(cohort.record, COUNTERS_AT + 4 * (counters.length + update.length))
  return out
}

export function decodeInterrupted(raw: Uint8Array): InterruptedCohort {
  const from = Buffer.from(raw)
  const updateAt = COUNTERS_AT + 4 * from.readUInt32LE(80)
  const recordAt = updateAt + 4 * from.readUInt32LE(84)
  return {
    coordinatorKey: Uint8Array.from(from.subarray(0, 32)),
    headHash: Uint8Array.from(from.subarray(32, 64)),
    round: from.readDoubleLE(64),
    index: from.readUInt32LE(88),
    total: from.readUInt32LE(92),
    uploadBytes: from.readDoubleLE(72),
    record: Uint8Array.from(from.subarray(recordAt)),
    sum: { counters: wordsOf(from.subarray(COUNTERS_AT, updateAt)), update: wordsOf(from.subarray(updateAt, recordAt)) },
  }
}

function bytesOf({ buffer, byteOffset, byteLength }: Uint32Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength)
}

function wordsOf(bytes: Uint8Array): Uint32Array {
  return new Uint32Array(Uint8Array.from(bytes).buffer)
}
