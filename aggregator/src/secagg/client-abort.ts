import { equalBytes, wipe } from '../core/bytes.ts'
import type { ErrorCode } from '../core/errors.ts'
import type { ClientId } from '../core/ids.ts'
import { mac, verifyMac } from '../crypto/kdf.ts'
import type { Member, PeerMac } from '../wire/records.ts'
import type { AbortCertificate, ClientEffect, ClientEnv, ClientRound, ClientState, ClientStep } from './client-state.ts'
import { pairKey } from './context.ts'
import { holdersOf, isHolder } from './graph.ts'

const STATEMENT = 'aborted, nothing released, shares deleted'

/**
 * Ends a round on this side: deletes its shares, tells every owner so, and, where an update already left, waits for the
 * same statement from enough share-holders. A client that has answered `unmask` never makes the statement: `threshold`
 * statements and `threshold` answers cannot both exist, so a complete certificate proves that nothing was unmasked.
 */
export function abortRound(env: ClientEnv, state: ClientState, code: ErrorCode, message: string): ClientStep {
  switch (state.phase) {
    case 'idle':
    case 'completed':
    case 'aborted':
      return { state, effects: [] }
    case 'recruiting':
      return {
        state: { phase: 'aborted', round: state.round, code, message, certificate: undefined },
        effects: [aborted(code, message, false)],
      }
    case 'setup':
    case 'collecting':
    case 'confirming':
    case 'unmasking': {
      const { facts } = state
      const uploaded = hasUploaded(state)
      const released = state.phase === 'unmasking'
      const certificate = uploaded ? newCertificate(env, facts, state.mine, released) : undefined
      const owners = ownersKnownTo(state)
      forget(state)
      const effects: ClientEffect[] = [aborted(code, message, uploaded)]
      if (!released)
        effects.unshift({
          type: 'send',
          message: { type: 'aborted', context: facts.context, macs: statements(env, facts, owners) },
        })
      return { state: { phase: 'aborted', round: facts.round, code, message, certificate }, effects }
    }
  }
}

/** Adds the share-holders whose statements hold; reopens the base once there are enough. */
export function collectCertificate(state: ClientState, context: Uint8Array, macs: readonly PeerMac[]): ClientStep {
  if (state.phase !== 'aborted' || state.certificate === undefined || !equalBytes(state.certificate.context, context))
    return { state, effects: [] }
  const { certificate } = state
  const valid = macs.filter(({ peer, mac }) => {
    const key = certificate.keys.get(peer)
    return key !== undefined && verifyMac(mac, key, context, STATEMENT)
  })
  const holders = new Set([...certificate.holders, ...valid.map(({ peer }) => peer)])
  if (holders.size < certificate.needed) return { state: { ...state, certificate: { ...certificate, holders } }, effects: [] }
  return { state: { ...state, certificate: undefined }, effects: [{ type: 'reopen', modelHash: certificate.modelHash, context }] }
}

/** Overwrites every secret of the round that the state holds. */
export function forget(state: ClientState): void {
  if (state.phase === 'setup') {
    const { maskSecret, selfSeed, own } = state.secrets
    wipe(maskSecret, selfSeed, own.maskKeyShare, own.selfSeedShare)
  }
  if ('membership' in state && state.membership !== undefined) {
    for (const shares of state.membership.held.values()) wipe(shares.maskKeyShare, shares.selfSeedShare)
  }
  if (state.phase === 'collecting' && state.masks !== undefined) {
    for (const { keys } of state.masks) wipe(keys.update, keys.counters)
  }
}

function hasUploaded(state: ClientState): boolean {
  return (
    state.phase === 'confirming' || state.phase === 'unmasking' || (state.phase === 'collecting' && state.masks === undefined)
  )
}

function newCertificate(env: ClientEnv, facts: ClientRound, mine: Member, released: boolean): AbortCertificate {
  const keys = new Map<ClientId, Uint8Array>()
  for (const place of holdersOf(facts.graph, mine)) {
    const holder = facts.ids[place] as ClientId
    const shared = holder === env.id ? undefined : facts.shared.with(holder)
    if (shared !== undefined) keys.set(holder, pairKey(shared, facts.context, 'abort', holder, env.id))
  }
  return {
    context: facts.context,
    modelHash: facts.modelHash,
    needed: facts.graph.threshold,
    keys,
    holders: new Set(released ? [] : [env.id]),
  }
}

/** Whose shares this client may hold: in a sparse graph only the relay tells. */
function ownersKnownTo(state: Extract<ClientState, { facts: ClientRound }>): readonly ClientId[] {
  const { facts } = state
  const { graph, ids, own } = facts
  const membership = 'membership' in state ? state.membership : undefined
  if (membership === undefined) return graph.complete ? ids : []
  return membership.members.filter((owner) => isHolder(graph, owner, own)).map(({ id }) => id)
}

function statements(env: ClientEnv, facts: ClientRound, owners: readonly ClientId[]): PeerMac[] {
  return owners.flatMap((peer) => {
    const shared = peer === env.id ? undefined : facts.shared.with(peer)
    if (shared === undefined) return []
    return [{ peer, mac: mac(pairKey(shared, facts.context, 'abort', env.id, peer), facts.context, STATEMENT) }]
  })
}

function aborted(code: ErrorCode, message: string, uploaded: boolean): ClientEffect {
  return { type: 'aborted', code, message, uploaded }
}
