import type { ClientMessage, CoordinatorInput } from '@fedweave/aggregator'
import type { Member } from './members.ts'

export type RoundMessage = Exclude<ClientMessage, { type: 'hello' | 'available' | 'aborted' }>

/** A joined client's message about a round, as the round's machine takes it. */
export function roundInput({ id: from, entry }: Member, message: RoundMessage): CoordinatorInput {
  switch (message.type) {
    case 'decline':
      return { type: 'declined', from, round: message.round }
    case 'ready':
      return { type: 'ready', from, round: message.round, entry: { ...entry, nonce: message.nonce } }
    case 'setup':
    case 'ack':
    case 'confirm':
    case 'unmask':
      return { type: 'message', from, message }
  }
}
