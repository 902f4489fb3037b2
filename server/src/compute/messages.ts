import type { FedweaveError, Segments, TaskConfig, UnmaskingPlan } from '@fedweave/aggregator'

/** What the compute workers do; each job is answered with its result or an error, in turn. Byte arrays cross without a copy. */
export type Job = OpenJob | ExpandJob

/** Open a sealed upload. */
export interface OpenJob {
  readonly kind: 'open'
  readonly config: TaskConfig
  readonly key: Uint8Array
  /** Owns its ArrayBuffer, which is taken from the caller. */
  readonly sealed: Uint8Array
}

/** An update as it counts: still masked. */
export interface OpenedUpload extends Segments<Uint32Array<ArrayBuffer>> {
  /** SHA-256 of the sealed bytes, in hex. */
  readonly digest: string
}

/** Rebuild the secrets of some members and expand their masks. The result is the negative of all of them: what to add to a sum. */
export interface ExpandJob {
  readonly kind: 'expand'
  readonly config: TaskConfig
  readonly plan: UnmaskingPlan
}

export type JobResult<J extends Job> = J extends OpenJob ? OpenedUpload : Segments<Uint32Array<ArrayBuffer>>

/** An error's class and code do not survive the crossing by themselves. */
export type Answer<Result> = { readonly result: Result } | { readonly error: ReturnType<FedweaveError['toJSON']> }
