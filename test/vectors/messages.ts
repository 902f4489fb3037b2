import {
  type ClientMessage,
  encodeClientMessage,
  encodeServerMessage,
  PROTOCOL_VERSIONS,
  type ServerMessage,
} from '@fedweave/aggregator'
import { channelStatement, coordinatorStatement, proofStatement } from '../../aggregator/src/secagg/identity.ts'
import { hexed } from './hex.ts'
import {
  abortedOf,
  abortMac,
  ackOf,
  acksTo,
  confirmOf,
  confirmsTo,
  relayTo,
  setupOf,
  signedResult,
  startMessage,
  surviving,
  unmaskOf,
} from './round.ts'
import {
  challengeNonce,
  clients,
  config,
  context,
  coordinatorKey,
  curves,
  dropout,
  known,
  modelHash,
  operatorKey,
  operatorSeed,
  ROUND,
  sessionToken,
  signedConfig,
  signedGenesis,
  task,
} from './world.ts'

const me = known(clients[0])

/** One of each: what the first client of the roster sends. */
export function clientMessages(): ClientMessage[] {
  const { certificate, channelKey, nonce } = me.entry
  return [
    {
      type: 'hello',
      versions: PROTOCOL_VERSIONS,
      task,
      certificate,
      channelKey,
      channelSignature: curves.sign(me.identitySeed, channelStatement(task, channelKey, coordinatorKey)),
      proof: curves.sign(me.identitySeed, proofStatement(challengeNonce, task, channelKey)),
    },
    { type: 'available' },
    { type: 'ready', round: ROUND, nonce },
    { type: 'decline', round: ROUND, code: 'FL_BASE_SPENT' },
    setupOf(me),
    ackOf(me),
    confirmOf(me),
    unmaskOf(me),
    abortedOf(dropout), // it learns that the round closed without its update
  ]
}

/** One of each: what the first client of the roster receives. */
export function serverMessages(): ServerMessage[] {
  return [
    {
      type: 'challenge',
      versions: PROTOCOL_VERSIONS,
      nonce: challengeNonce,
      coordinatorKey,
      operatorKey,
      signature: curves.sign(operatorSeed, coordinatorStatement(coordinatorKey)),
    },
    {
      type: 'welcome',
      version: PROTOCOL_VERSIONS[0],
      session: sessionToken,
      config: signedConfig,
      head: signedGenesis,
      activeContext: context,
    },
    {
      type: 'refusal',
      code: 'FL_DUPLICATE',
      message: 'a "setup" of this client has already counted',
      cure: 'Nothing to do.',
      fatal: 0,
    },
    { type: 'invite', round: ROUND, modelHash, deadlineMs: config.deadlines.setupMs },
    startMessage(),
    relayTo(me),
    acksTo(me),
    surviving(),
    confirmsTo(me),
    { type: 'result', context, entry: signedResult() },
    {
      type: 'abort',
      round: ROUND,
      code: 'FL_TOO_FEW_SHARES',
      message: 'a secret of round 7 has 3 valid shares, where 4 are needed',
    },
    { type: 'aborts', context, macs: [{ peer: dropout.id, mac: abortMac(dropout, me) }] },
    { type: 'finished', round: ROUND },
  ]
}

export function messageVectors() {
  const one = <M extends { readonly type: string }>({ type, ...fields }: M, raw: Uint8Array) => ({
    type,
    fields: hexed(fields) as Record<string, unknown>,
    bytes: hexed(raw),
  })
  return {
    clientToServer: clientMessages().map((message) => one(message, encodeClientMessage(message))),
    serverToClient: serverMessages().map((message) => one(message, encodeServerMessage(message))),
  }
}
