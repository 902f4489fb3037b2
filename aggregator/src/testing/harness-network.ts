import type { ClientId } from '../core/ids.ts'
import type { ClientInput } from '../secagg/client-state.ts'
import type { ClientMessage, ServerMessage } from '../wire/messages.ts'

/** The sealed update, which travels on the bulk plane. */
export interface Upload {
  readonly type: 'upload'
  readonly context: Uint8Array
  readonly sealed: Uint8Array
}

/** A message under way between one client and the server. */
export type Envelope =
  | { readonly to: 'server'; readonly client: ClientId; readonly message: ClientMessage | Upload }
  | { readonly to: 'client'; readonly client: ClientId; readonly message: ServerMessage }

/** What becomes of a message that is sent: itself, another one, several, or nothing. */
export type Network = (envelope: Envelope) => readonly Envelope[]

const ROUND_MESSAGES = ['invite', 'relay', 'acks', 'survivors', 'confirms', 'result', 'abort', 'aborts']

/** The messages that a client's machine takes as they are; `start` also needs its ledger. */
export function isRoundMessage(message: ServerMessage): message is Extract<ClientInput, ServerMessage> {
  return ROUND_MESSAGES.includes(message.type)
}
