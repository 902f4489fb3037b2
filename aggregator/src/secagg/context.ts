import { concat, utf8 } from '../core/bytes.ts'
import { type ClientId, clientIdBytes, clientIdOf, type TaskId } from '../core/ids.ts'
import { hash, hkdf } from '../crypto/kdf.ts'
import { clientIdCodec, encode, list } from '../wire/codec.ts'
import { MAX_COHORT, type Member, member, places, type RosterEntry, rosterEntry } from '../wire/records.ts'

/** Everything that a round's parties must agree on before they derive one key. */
export interface RoundFacts {
  readonly task: TaskId
  readonly round: number
  readonly roster: readonly RosterEntry[]
  readonly modelHash: Uint8Array
  readonly configHash: Uint8Array
  /** Hash of the last committed journal entry: the transcript of all rounds before. */
  readonly headHash: Uint8Array
  readonly coordinatorKey: Uint8Array
}

/** `ctx`: the salt of every key of the round, so that parties who were shown different facts share no key. */
export function contextOf(facts: RoundFacts): Uint8Array {
  const { task, round, roster, modelHash, configHash, headHash, coordinatorKey } = facts
  return hash('fedweave/v1', task, round, rosterHash(roster), modelHash, configHash, headHash, coordinatorKey)
}

export function rosterHash(roster: readonly RosterEntry[]): Uint8Array {
  return hash('fw1/roster', encode(list(rosterEntry, MAX_COHORT), roster))
}

export function entryId(entry: RosterEntry): ClientId {
  return clientIdOf(entry.certificate.identityKey)
}

/** Digest of U1: who shared keys in time, with their mask keys, sorted by id. */
export function membersDigest(context: Uint8Array, members: readonly Member[]): Uint8Array {
  return hash('fw1/u1', context, encode(list(member, MAX_COHORT), members))
}

/** Digest of the active part of U1: those whose acks were relayed. All masks are among them, and salted with it. */
export function activeDigest(context: Uint8Array, u1Digest: Uint8Array, active: readonly number[]): Uint8Array {
  return hash('fw1/active', context, u1Digest, encode(places(MAX_COHORT), active))
}

/** What the survivors confirm to each other and sign: this context, this U1 and its active part, this U2. */
export function survivorsDigest(context: Uint8Array, active: Uint8Array, survivors: readonly ClientId[]): Uint8Array {
  return hash('fw1/u2', context, active, encode(list(clientIdCodec, MAX_COHORT), survivors))
}

export type PairPurpose = 'box' | 'ack' | 'confirm' | 'abort'

/** One key for one purpose and one direction, so that no MAC can be reflected and no box key doubles as a MAC key. */
export function pairKey(shared: Uint8Array, context: Uint8Array, purpose: PairPurpose, from: ClientId, to: ClientId): Uint8Array {
  return hkdf(shared, context, concat(utf8(`fw1/${purpose}`), clientIdBytes(from), clientIdBytes(to)))
}

/** Key of the seal between one client and the coordinator. */
export function sealKey(shared: Uint8Array, context: Uint8Array, purpose: 'upload' | 'unmask', client: ClientId): Uint8Array {
  return hkdf(shared, context, concat(utf8(`fw1/${purpose}`), clientIdBytes(client)))
}

/** Ids ascend strictly: sorted, and none twice. */
export function isSortedSet(ids: readonly ClientId[]): boolean {
  return ids.every((id, i) => i === 0 || (ids[i - 1] as ClientId) < id) // equal-length lowercase hex sorts like its bytes
}
