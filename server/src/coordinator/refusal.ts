import type { FedweaveError, ServerMessage } from '@fedweave/aggregator'

/** The wire form of an error; `fatal` when the connection can do nothing more. */
export function refusal(error: FedweaveError, fatal: boolean): ServerMessage {
  return { type: 'refusal', code: error.code, message: ascii(error.message), cure: ascii(error.cure), fatal: fatal ? 1 : 0 }
}

/** Text fields of the wire are printable ASCII of at most 1,024 characters. */
export function ascii(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?').slice(0, 1024)
}
