import { fromUtf8, toHex, utf8 } from '../core/bytes.ts'
import { FedweaveError } from '../core/errors.ts'
import type { Curves } from '../crypto/curves.ts'
import { hash } from '../crypto/kdf.ts'
import { bytes, decode, encode, struct } from '../wire/codec.ts'
import { signature64 } from '../wire/records.ts'
import { parseTaskConfig, type TaskConfig } from './config.ts'

const signedConfig = struct({ json: bytes(2 * 1024 * 1024), signature: signature64 })

export interface OpenedConfig {
  readonly config: TaskConfig
  /** Hash of the signed bytes, so that nobody needs a canonical form of JSON. */
  readonly configHash: Uint8Array
}

export function signConfig(curves: Curves, operatorSeed: Uint8Array, config: TaskConfig): Uint8Array {
  const json = utf8(JSON.stringify(config))
  return encode(signedConfig, { json, signature: curves.sign(operatorSeed, hash('fw1/config', json)) })
}

/** Throws `FL_MESSAGE_MALFORMED`, `FL_PIN_MISMATCH` when `operatorKey` did not sign it, or `FL_CONFIG_INVALID` naming the field. */
export function openConfig(curves: Curves, operatorKey: Uint8Array, signed: Uint8Array): OpenedConfig {
  const { json, signature } = decode(signedConfig, signed)
  const configHash = hash('fw1/config', json)
  if (!curves.verify(operatorKey, configHash, signature)) {
    throw new FedweaveError('FL_PIN_MISMATCH', `the task config is not signed by the operator key ${toHex(operatorKey)}`)
  }
  return { config: parseTaskConfig(parseJson(json)), configHash }
}

function parseJson(json: Uint8Array): unknown {
  try {
    return JSON.parse(fromUtf8(json))
  } catch (cause) {
    throw new FedweaveError('FL_CONFIG_INVALID', 'the task config is not JSON', { cause })
  }
}
