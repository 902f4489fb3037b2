import { equalBytes } from '../core/bytes.ts'
import { FedweaveError } from '../core/errors.ts'
import type { ClientId } from '../core/ids.ts'
import type { Curves } from '../crypto/curves.ts'
import { combineShares, lagrangeAtZero } from '../crypto/shamir.ts'
import type { CoordinatorState } from './coordinator-state.ts'
import { pairMask, type SignedMask, selfMask } from './masks.ts'
import { seedCommitment } from './shares.ts'

type Completed = Extract<CoordinatorState, { phase: 'completed' }>

/**
 * Rebuilds what the sum still hides and lists the masks that it holds: the self mask of every survivor, and each
 * survivor's half of every pair with a dropout. Subtracting them all leaves the plain sum.
 * Throws `FL_TOO_FEW_SHARES` when a dealer's shares do not give the secret that it committed to.
 */
export function rebuildMasks(curves: Curves, state: Completed): SignedMask[] {
  const { facts, members, u1Digest, survivors, setups, answers } = state
  const surviving = new Set(survivors)
  const coefficients = new Map<string, Uint8Array>()
  const masks: SignedMask[] = []
  for (const member of members) {
    const kind = surviving.has(member.id) ? 'selfSeed' : 'maskKey'
    const shares = [...answers]
      .flatMap(([holder, answer]) => {
        const bytes = answer[kind].get(member.id)
        return bytes === undefined ? [] : [{ x: 1 + facts.ids.indexOf(holder), bytes }]
      })
      .slice(0, facts.graph.threshold)
    const xs = shares.map(({ x }) => x)
    const key = xs.join()
    const lagrange = coefficients.get(key) ?? lagrangeAtZero(xs)
    coefficients.set(key, lagrange)
    const secret = combineShares(shares, lagrange)
    if (kind === 'selfSeed') {
      const committed = setups.get(member.id)?.selfSeedCommitment as Uint8Array
      if (!equalBytes(seedCommitment(facts.context, member.id, secret), committed)) throw inconsistent(member.id)
      masks.push({ sign: 1, keys: selfMask(secret, facts.context, u1Digest, member.id) })
      continue
    }
    if (!equalBytes(curves.x25519Public(secret), member.maskKey)) throw inconsistent(member.id)
    for (const survivor of members) {
      if (!surviving.has(survivor.id)) continue
      const mask = pairMask(curves, secret, member, survivor, facts.context, u1Digest)
      if (mask === undefined) throw inconsistent(survivor.id)
      masks.push({ sign: mask.sign === 1 ? -1 : 1, keys: mask.keys }) // the survivor's half of the pair
    }
  }
  return masks
}

function inconsistent(dealer: ClientId): FedweaveError {
  return new FedweaveError(
    'FL_TOO_FEW_SHARES',
    `the shares that client ${dealer} dealt do not give the secret that it committed to`,
  )
}
