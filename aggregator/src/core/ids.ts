import { sha256 } from '@noble/hashes/sha2.js'
import { concat, fromHex, toHex, utf8 } from './bytes.ts'
import { FedweaveError } from './errors.ts'

/** 32 lowercase hex digits: the first 16 bytes of SHA-256 over the identity key, so an id cannot be given to another key. */
export type ClientId = string & { readonly __brand: 'ClientId' }
export type TaskId = string & { readonly __brand: 'TaskId' }

export const CLIENT_ID_BYTES = 16

export function clientId(raw: string): ClientId {
  if (!/^[0-9a-f]{32}$/.test(raw)) {
    throw new FedweaveError('FL_CLIENT_ID_INVALID', `expected 32 lowercase hex digits, got ${JSON.stringify(raw.slice(0, 40))}`)
  }
  return raw as ClientId
}

export function clientIdOf(identityKey: Uint8Array): ClientId {
  return toHex(sha256(concat(utf8('fedweave/v1/client-id'), identityKey)).subarray(0, CLIENT_ID_BYTES)) as ClientId
}

export function clientIdBytes(id: ClientId): Uint8Array {
  return fromHex(id, CLIENT_ID_BYTES)
}

export function taskId(raw: string): TaskId {
  if (!/^[a-z0-9][a-z0-9_-]{0,63}$/.test(raw)) {
    throw new FedweaveError(
      'FL_TASK_ID_INVALID',
      `expected 1 to 64 of a-z, 0-9, "-", "_", got ${JSON.stringify(raw.slice(0, 80))}`,
    )
  }
  return raw as TaskId
}
