import { equalBytes, FedweaveError, sha256, toHex } from '@fedweave/aggregator'
import type { Transport } from './transport/transport.ts'

/** Fetches a model and checks that it is the one that was named. Throws `FL_MODEL_HASH`. */
export async function fetchWeights(
  transport: Pick<Transport, 'model'>,
  task: string,
  modelHash: Uint8Array,
  signal: AbortSignal,
): Promise<Float32Array> {
  const bytes = await transport.model(task, toHex(modelHash), signal)
  if (bytes.length % 4 !== 0 || !equalBytes(sha256(bytes), modelHash)) {
    throw new FedweaveError('FL_MODEL_HASH', `the server sent other bytes than those of model ${toHex(modelHash)}`)
  }
  return new Float32Array(bytes.slice().buffer) // little-endian float32
}
