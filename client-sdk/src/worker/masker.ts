import { type LocalUpdate, type Prg, type Secretbox, type SignedMask, type TaskConfig, UpdateFormat } from '@fedweave/aggregator'
import type { Trainer } from '../training/trainer.ts'

/** All that the bytes of an update follow from: the same job gives the same bytes wherever it is done. */
export interface MaskingJob {
  readonly config: TaskConfig
  /** The round's. */
  readonly context: Uint8Array
  readonly update: LocalUpdate
  /** 32 bytes of the platform's CSPRNG that the stochastic rounding follows from, used for nothing else. */
  readonly roundingKey: Uint8Array
  readonly masks: readonly SignedMask[]
  readonly sealKey: Uint8Array
}

/** Turns trained deltas into updates that may leave the client, wherever that is done. */
export interface Masker {
  /** Quantises, masks and seals. Throws `FL_NON_FINITE` naming the parameter, `FL_UPDATE_SHAPE` for a delta of another model. */
  maskAndSeal(job: MaskingJob): Promise<Uint8Array>
}

/** What a platform masks with. */
export interface MaskingTools {
  readonly prg: Prg
  readonly secretbox?: Secretbox
}

/** A trainer's own masker, on whose thread the main thread is not held up; else one that masks in this thread. */
export function maskerOf(trainer: Trainer | (Trainer & Masker), { prg, ...tools }: Partial<MaskingTools>): Masker {
  if ('maskAndSeal' in trainer) return trainer
  if (prg === undefined) throw new Error('a platform without a mask generator needs a trainer that masks')
  return { maskAndSeal: async (job) => maskAndSeal(job, { prg, ...tools }) }
}

/** Does one job in this thread, which for a hundred masks of a CNN takes 100 ms and more; wipes its keys, which have served. */
export function maskAndSeal(job: MaskingJob, { prg, secretbox }: MaskingTools): Uint8Array {
  const { config, context, update, roundingKey, masks, sealKey } = job
  const format = new UpdateFormat(config)
  try {
    const plain = format.quantise(update, context, prg, { bytes: () => roundingKey })
    return format.maskAndSeal(plain, masks, sealKey, secretbox)
  } finally {
    wipeKeys(job)
  }
}

export function wipeKeys({ roundingKey, masks, sealKey }: MaskingJob): void {
  for (const key of [roundingKey, sealKey, ...masks.flatMap(({ keys }) => [keys.update, keys.counters])]) key.fill(0)
}
