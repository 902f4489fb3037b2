import type { Entropy } from '../core/entropy.ts'
import { type ClientId, clientIdOf, taskId } from '../core/ids.ts'
import type { ClientEffect, ClientEnv, ClientState, LedgerHead } from '../secagg/client-state.ts'
import { certify, channelStatement } from '../secagg/identity.ts'
import type { RosterEntry } from '../wire/records.ts'

/** One client of a `RoundHarness`: its machine's state, and the ledger that a real client keeps on its disk. */
export interface HarnessClient {
  readonly index: number
  readonly id: ClientId
  readonly env: ClientEnv
  /** What it said at the handshake; a round adds a nonce. */
  readonly entry: Omit<RosterEntry, 'nonce'>
  state: ClientState
  alive: boolean
  highestRound: number
  head: LedgerHead | undefined
  /** Hex hashes of the base models that it has sent an update on. */
  readonly spent: Set<string>
  readonly effects: ClientEffect[]
}

/** A certified client; `entropy` gives its long-term keys, `round` its secrets from round to round. */
export function harnessClient(
  index: number,
  shared: Omit<ClientEnv, 'entropy' | 'id' | 'identitySeed' | 'channelSecret' | 'verified'>,
  enrolmentSeed: Uint8Array,
  entropy: Entropy,
  round: Entropy,
): HarnessClient {
  const { curves, config, coordinatorKey } = shared
  const identitySeed = entropy.bytes(32)
  const channelSecret = entropy.bytes(32)
  const identityKey = curves.ed25519Public(identitySeed)
  const channelKey = curves.x25519Public(channelSecret)
  const id = clientIdOf(identityKey)
  return {
    index,
    id,
    env: { ...shared, entropy: round, id, identitySeed, channelSecret, verified: new Set() },
    entry: {
      certificate: certify(curves, enrolmentSeed, identityKey, 4_000_000_000),
      channelKey,
      channelSignature: curves.sign(identitySeed, channelStatement(taskId(config.taskId), channelKey, coordinatorKey)),
    },
    state: { phase: 'idle' },
    alive: true,
    highestRound: 0,
    head: undefined,
    spent: new Set(),
    effects: [],
  }
}
