import { createHash } from 'node:crypto'
import { FedweaveError } from '@fedweave/aggregator'

/**
 * What one task keeps for good. The coordinator's driver is the only caller; it appends the journal entry of a
 * committed round after the checkpoint that the entry names, so a journal never names a model that is not there.
 *
 * Two stores exist: files (`openFileStore`) and memory (`memoryStore`, for tests and simulations). Both run the suite
 * in `store-contract.ts`.
 */
export interface Store {
  /**
   * The journal in the order of appending, read as it is asked for and nowhere kept: up to the record that is the last at the
   * first step. Throws `FL_STORE_DAMAGED`.
   */
  records(): AsyncIterable<JournalRecord>

  /** Adds one record to the journal. It is durable when the promise resolves; it is absent when the promise rejects. */
  append(record: Uint8Array): Promise<void>

  /** Keeps `bytes` under their SHA-256 in hex, which is returned; durable when the promise resolves. Repeating it is harmless. */
  putCheckpoint(bytes: Uint8Array): Promise<string>

  /** The bytes kept under `hash`, or undefined where there are none. Throws `FL_STORE_DAMAGED` when they do not match it. */
  checkpoint(hash: string): Promise<Uint8Array | undefined>

  /** Removes every checkpoint that is not named; what is named and not there is no error. */
  keepCheckpoints(hashes: ReadonlySet<string>): Promise<void>

  /** Keeps one small note beside the journal and replaces the last of that name; durable when the promise resolves. */
  note(name: NoteName, bytes: Uint8Array): Promise<void>

  /** The note last written under `name`. Throws `FL_STORE_DAMAGED` when it was altered. */
  readNote(name: NoteName): Promise<Uint8Array | undefined>

  /** Waits for what was begun; every later call rejects with `FL_STOPPED`. */
  close(): Promise<void>
}

export interface JournalRecord {
  /** A view into what was read with it: keep a copy. */
  readonly bytes: Uint8Array
  /** Where it lies, for people: the file and the byte offset. */
  readonly place: string
}

/**
 * `attempt`: the number of the last round that was opened, so that none is used twice. `config`: the task's config as the
 * operator signed it. `standing`: whether the operator paused or stopped the task. `spec`: what a task was made from that is not in
 * the server's config. `round-<i>`: what finishing cohort i of the running round takes, from when its clients are asked for shares
 * until the round is over; else empty.
 */
export type NoteName = 'attempt' | 'config' | 'standing' | 'spec' | `round-${number}`

/** Whether `name` can name a checkpoint: 64 lowercase hex digits, hence never a path. */
export function isCheckpointName(name: string): boolean {
  return /^[0-9a-f]{64}$/.test(name)
}

/** The name of a checkpoint: SHA-256 of its bytes in hex. */
export function checkpointName(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

export function storeClosed(): FedweaveError {
  return new FedweaveError('FL_STOPPED', 'the store is closed')
}
