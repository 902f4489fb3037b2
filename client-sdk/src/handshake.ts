import {
  type Certificate,
  type ClientMessage,
  type Curves,
  channelStatement,
  coordinatorStatement,
  equalBytes,
  FedweaveError,
  fromHex,
  negotiate,
  type OpenedConfig,
  openConfig,
  PROTOCOL_VERSIONS,
  proofStatement,
  type ServerMessage,
  type TaskId,
  toHex,
} from '@fedweave/aggregator'
import type { Ledger } from './storage/store.ts'

type Challenge = Extract<ServerMessage, { type: 'challenge' }>
type Welcome = Extract<ServerMessage, { type: 'welcome' }>

/** Public keys, in hex, that the caller got from the operator over another channel. */
export interface Pins {
  readonly operatorKey?: string
  readonly enrolmentKey?: string
}

export interface ClientIdentity {
  readonly seed: Uint8Array
  readonly certificate: Certificate
  readonly channelSecret: Uint8Array
}

/**
 * Checks who the server is and proves who the client is. Throws `FL_PROTOCOL_VERSION`, or `FL_PIN_MISMATCH` when the
 * server's operator is not the pinned one, or not the one of the first visit.
 */
export function answerChallenge(
  curves: Curves,
  challenge: Challenge,
  task: TaskId,
  identity: ClientIdentity,
  pins: Pins,
  ledger: Ledger,
): Extract<ClientMessage, { type: 'hello' }> {
  negotiate(challenge.versions)
  const { operatorKey, coordinatorKey, signature, nonce } = challenge
  checkPin('operator key', toHex(operatorKey), pins.operatorKey ?? ledger.trusted?.operatorKey)
  if (!curves.verify(operatorKey, coordinatorStatement(coordinatorKey), signature)) {
    throw new FedweaveError('FL_PIN_MISMATCH', "the coordinator key is not signed by the server's operator key")
  }
  const { seed, certificate, channelSecret } = identity
  const channelKey = curves.x25519Public(channelSecret)
  return {
    type: 'hello',
    versions: PROTOCOL_VERSIONS,
    task,
    certificate,
    channelKey,
    channelSignature: curves.sign(seed, channelStatement(task, channelKey, coordinatorKey)),
    proof: curves.sign(seed, proofStatement(nonce, task, channelKey)),
  }
}

/** Opens the config that the operator signed, and checks who certifies clients. Throws `FL_PIN_MISMATCH`, `FL_CONFIG_INVALID`. */
export function acceptWelcome(
  curves: Curves,
  welcome: Welcome,
  operatorKey: Uint8Array,
  task: TaskId,
  pins: Pins,
  ledger: Ledger,
): OpenedConfig {
  const opened = openConfig(curves, operatorKey, welcome.config)
  if (opened.config.taskId !== task)
    throw new FedweaveError('FL_PROTOCOL_VIOLATION', `asked for task ${task}, got ${opened.config.taskId}`)
  checkPin('enrolment key', opened.config.enrolment.key, pins.enrolmentKey ?? ledger.trusted?.enrolmentKey)
  return opened
}

function checkPin(what: string, got: string, pinned: string | undefined): void {
  if (pinned === undefined || equalBytes(fromHex(pinned, 32), fromHex(got))) return
  throw new FedweaveError('FL_PIN_MISMATCH', `the server's ${what} is ${got}, not the pinned ${pinned}`)
}
