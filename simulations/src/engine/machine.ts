import {
  type ClientEnv,
  type ClientId,
  type ClientState,
  certify,
  channelStatement,
  clientIdOf,
  type RosterEntry,
  taskId,
} from '@fedweave/aggregator'
import { seededEntropy } from '@fedweave/aggregator/testing'

/** One virtual client in one round of the protocol. */
export interface Machine {
  readonly client: number
  readonly id: ClientId
  readonly env: ClientEnv
  /** What it says of itself; a round adds a nonce. */
  readonly entry: Omit<RosterEntry, 'nonce'>
  state: ClientState
}

/** Certificates of virtual clients hold for the whole of any virtual time. */
const FOR_EVER = 4_000_000_000

/**
 * The machine of client `client`: its identity follows from the seed and its number alone, its secrets from the round too, so
 * nothing of it has to be kept from round to round.
 */
export function machineOf(
  client: number,
  shared: Omit<ClientEnv, 'entropy' | 'id' | 'identitySeed' | 'channelSecret'>,
  enrolmentSeed: Uint8Array,
  seed: string,
  round: string,
): Machine {
  const { curves, config, coordinatorKey } = shared
  const long = seededEntropy(`${seed}/client/${client}`)
  const [identitySeed, channelSecret] = [long.bytes(32), long.bytes(32)]
  const identityKey = curves.ed25519Public(identitySeed)
  const channelKey = curves.x25519Public(channelSecret)
  const id = clientIdOf(identityKey)
  return {
    client,
    id,
    env: { ...shared, entropy: seededEntropy(`${seed}/client/${client}/${round}`), id, identitySeed, channelSecret },
    entry: {
      certificate: certify(curves, enrolmentSeed, identityKey, FOR_EVER),
      channelKey,
      channelSignature: curves.sign(identitySeed, channelStatement(taskId(config.taskId), channelKey, coordinatorKey)),
    },
    state: { phase: 'idle' },
  }
}
