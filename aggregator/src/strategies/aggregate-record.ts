import { FedweaveError } from '../core/errors.ts'
import { bytes, decode, encode, struct, u64 } from '../wire/codec.ts'
import type { CohortMean } from './combine.ts'

/** Room for 256 million parameters. */
const MOST_BYTES = 2 ** 30

const record = struct({
  /** Total weight of the survivors. */
  weight: u64,
  /** Their weighted mean delta: little-endian float32, the tensors in the order of the config. */
  mean: bytes(MOST_BYTES),
})

/** What a cohort summed to, as bytes whose SHA-256 the journal names. */
export function encodeAggregate({ weight, pseudoGradient }: CohortMean): Uint8Array {
  const { buffer, byteOffset, byteLength } = pseudoGradient
  return encode(record, { weight, mean: new Uint8Array(buffer, byteOffset, byteLength) })
}

/** Throws `FL_MESSAGE_MALFORMED`. */
export function decodeAggregate(raw: Uint8Array): CohortMean {
  const { weight, mean } = decode(record, raw)
  if (mean.length % 4 !== 0) throw new FedweaveError('FL_MESSAGE_MALFORMED', `${mean.length} bytes are no whole number of floats`)
  return { weight, pseudoGradient: new Float32Array(mean.slice().buffer) }
}
