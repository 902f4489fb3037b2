import { toHex } from '../core/bytes.ts'
import { FedweaveError } from '../core/errors.ts'
import type { Curves } from '../crypto/curves.ts'
import { hash } from '../crypto/kdf.ts'
import {
  ascii,
  bytes,
  clientIdCodec,
  decode,
  decodeStart,
  encode,
  f64,
  list,
  optional,
  struct,
  u8,
  u32,
  u64,
  type ValueOf,
} from '../wire/codec.ts'
import { hash32, key32, MAX_COHORT, MAX_COHORTS, member, places, rosterEntry, signature64 } from '../wire/records.ts'

export const ENTRY_VERSION = 1

/** One cohort of a round: everything that its context and its survivors' signatures are over. */
export const cohortRecord = struct({
  roster: list(rosterEntry, MAX_COHORT),
  members: list(member, MAX_COHORT),
  /** Places of the members whose acks were relayed. */
  active: places(MAX_COHORT),
  survivors: list(clientIdCodec, MAX_COHORT),
  /** The survivors' signatures over the survivors digest. */
  transcripts: list(struct({ id: clientIdCodec, signature: signature64 }), MAX_COHORT),
})
export type CohortRecord = ValueOf<typeof cohortRecord>

/** Of a classifier accuracy and recall, of a regressor the errors. */
const evaluation = struct({
  examples: u32,
  loss: f64,
  accuracy: optional(f64),
  recall: optional(f64),
  rmse: optional(f64),
  mae: optional(f64),
})

const linkFields = {
  version: u8,
  index: u64,
  task: ascii(64),
  round: u64,
  /** Unix milliseconds. */
  at: u64,
  previous: hash32,
  configHash: hash32,
  coordinatorKey: key32,
  modelBefore: hash32,
  modelAfter: hash32,
  strategyState: hash32,
  /** SHA-256 of what each cohort summed to, as `encodeAggregate` gives it; in the order of `cohorts`. */
  aggregates: list(hash32, MAX_COHORTS),
}
const link = struct(linkFields)

/**
 * One committed round, or (index 0) the initial model. It holds everything that a reader needs to compute the round's
 * context again and to check what the survivors signed.
 */
export const journalBody = struct({
  ...linkFields,
  /** Each a secure sum of its own over the same base model; none in the first entry. */
  cohorts: list(cohortRecord, MAX_COHORTS),
  /** Total weight of the survivors. */
  weight: u64,
  /** What the masked counters summed to; absent when they were garbage. */
  training: optional(struct({ loss: f64, accuracy: f64, clippedFraction: f64 })),
  /** Most bytes that one survivor's upload took on its socket, HTTP head included. */
  uploadBytes: u64,
  /** On the server's held-out data, where the task has some. */
  evaluation: optional(evaluation),
  /** What the task has spent on one client's examples up to here (epsilon, delta); absent: no differential privacy, no bound. */
  privacy: optional(struct({ epsilon: f64, delta: f64 })),
})
export type JournalBody = ValueOf<typeof journalBody>

const signedEntry = struct({ body: bytes(16 * 1024 * 1024), signature: signature64 })

export interface JournalEntry extends JournalBody {
  /** Of the body; the next entry's `previous`. */
  readonly hash: Uint8Array
}

/** What chains an entry to the one before. */
export type EntryLink = ValueOf<typeof link> & Pick<JournalEntry, 'hash'>

export function signEntry(curves: Curves, operatorSeed: Uint8Array, body: JournalBody): Uint8Array {
  const raw = encode(journalBody, body)
  return encode(signedEntry, { body: raw, signature: curves.sign(operatorSeed, hash('fw1/entry', raw)) })
}

/** Parses a signed entry. Throws `FL_MESSAGE_MALFORMED`, or `FL_PIN_MISMATCH` when `operatorKey` did not sign it. */
export function openEntry(curves: Curves, operatorKey: Uint8Array, signed: Uint8Array): JournalEntry {
  const { body, signature } = decode(signedEntry, signed)
  const digest = hash('fw1/entry', body)
  if (!curves.verify(operatorKey, digest, signature)) {
    throw new FedweaveError('FL_PIN_MISMATCH', `a journal entry is not signed by the operator key ${toHex(operatorKey)}`)
  }
  return { ...decode(journalBody, body), hash: digest }
}

/**
 * The beginning of a signed entry, whoever signed it: enough where a later entry, which `openEntry` opened, vouches for this
 * one through the hashes in between. Throws `FL_MESSAGE_MALFORMED`.
 */
export function entryLink(signed: Uint8Array): EntryLink {
  const { body } = decode(signedEntry, signed)
  return { ...decodeStart(link, body), hash: hash('fw1/entry', body) }
}
