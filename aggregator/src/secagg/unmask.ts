import { equalBytes } from '../core/bytes.ts'
import { FedweaveError } from '../core/errors.ts'
import type { ClientId } from '../core/ids.ts'
import { type Curves, KEY_BYTES } from '../crypto/curves.ts'
import { combineShares, lagrangeAtZero, type Share } from '../crypto/shamir.ts'
import type { Member } from '../wire/records.ts'
import type { CoordinatorState } from './coordinator-state.ts'
import { holdersOf, neighboursOf, placeOf } from './graph.ts'
import { pairMask, type SignedMask, selfMask } from './masks.ts'
import { seedCommitment } from './shares.ts'

type Completed = Extract<CoordinatorState, { phase: 'completed' }>

/** All that the masks of some members follow from: plain data, packed so that it costs little to send to another thread. */
export interface UnmaskingPlan {
  readonly context: Uint8Array
  readonly activeDigest: Uint8Array
  readonly secrets: readonly SharedSecret[]
}

/** One member's secret, still in shares of 32 bytes. */
interface SharedSecret extends Pick<Member, 'id' | 'maskKey'> {
  /** The shares' points, and the shares one after another in the same order. */
  readonly xs: Uint8Array
  readonly shares: Uint8Array
  /** A survivor's self seed, which opens this commitment; or a dropout's mask secret, which meets these survivors. */
  readonly kind: { readonly seedCommitment: Uint8Array } | { readonly peers: readonly ClientId[]; readonly peerKeys: Uint8Array }
}

/**
 * Rebuilds what the sum still hides and lists the masks that it holds: the self mask of every survivor, and each
 * survivor's half of every pair with a dropout. Subtracting them all leaves the plain sum.
 * Throws `FL_TOO_FEW_SHARES` when a dealer's shares do not give the secret that it committed to.
 */
export function rebuildMasks(curves: Curves, state: Completed): SignedMask[] {
  return [...masksOf(curves, planUnmasking(state, activeMembers(state)))]
}

/**
 * Cuts the active members for `workers` that go through the parts side by side: parts of equal work, as many for each
 * worker as it takes to hold no more than about `masks` masks. None is empty.
 */
export function partsOfUnmasking(state: Completed, workers: number, masks: number): Member[][] {
  const members = activeMembers(state)
  const surviving = new Set(state.survivors)
  const most = Math.min(state.survivors.length, 2 * state.facts.graph.holders) // a dropout's masks, about
  const cost = ({ id }: Member) => (surviving.has(id) ? 1 : most)
  const total = members.reduce((sum, member) => sum + cost(member), 0)
  const parts: Member[][] = Array.from({ length: workers * Math.ceil(total / (workers * masks)) }, () => [])
  let before = 0
  for (const member of members) {
    parts[Math.floor((before / total) * parts.length)]?.push(member)
    before += cost(member)
  }
  return parts.filter((part) => part.length > 0)
}

/** What it takes to take the masks of `part`, some of the state's active members, off the sum. */
export function planUnmasking(state: Completed, part: readonly Member[]): UnmaskingPlan {
  const { facts, activeDigest, survivors, setups } = state
  const surviving = new Set(survivors)
  const living = activeMembers(state).filter(({ id }) => surviving.has(id))
  const secrets = part.map((member): SharedSecret => {
    const { id, maskKey } = member
    const survives = surviving.has(id)
    const found = sharesOf(state, member, survives)
    return {
      id,
      maskKey: pack([maskKey]), // copied: sending a view sends all that lies under it
      xs: Uint8Array.from(found, ({ x }) => x),
      shares: pack(found.map(({ bytes }) => bytes)),
      kind: survives
        ? { seedCommitment: pack([setups.get(id)?.selfSeedCommitment as Uint8Array]) }
        : pairsWith(neighboursOf(facts.graph, member, living, facts.places)),
    }
  })
  return { context: facts.context, activeDigest, secrets }
}

/** The members that masks are among. */
function activeMembers({ facts, members, active }: Completed): readonly Member[] {
  const isActive = new Set(active)
  return members.filter(({ id }) => isActive.has(placeOf(facts.places, id)))
}

/** `threshold` shares of a survivor's self seed or a dropout's mask secret; x is 1 + the holder's place among the owner's. */
function sharesOf({ facts, answers }: Completed, member: Member, survives: boolean): readonly Share[] {
  const found: Share[] = []
  for (const [i, place] of holdersOf(facts.graph, member).entries()) {
    const answer = answers.get(facts.ids[place] as ClientId)
    const bytes = (survives ? answer?.selfSeed : answer?.maskKey)?.get(member.id)
    if (bytes !== undefined) found.push({ x: i + 1, bytes })
    if (found.length === facts.graph.threshold) break
  }
  return found
}

function pairsWith(peers: readonly Member[]): { readonly peers: readonly ClientId[]; readonly peerKeys: Uint8Array } {
  return { peers: peers.map(({ id }) => id), peerKeys: pack(peers.map(({ maskKey }) => maskKey)) }
}

/** The masks of a plan, one by one; throws as `rebuildMasks` does, at the member whose shares are inconsistent. */
export function* masksOf(curves: Curves, { context, activeDigest, secrets }: UnmaskingPlan): Generator<SignedMask, void> {
  const coefficients = new Map<string, Uint8Array>()
  for (const dealer of secrets) {
    const { id, maskKey, kind } = dealer
    const secret = combine(dealer, coefficients)
    if ('seedCommitment' in kind) {
      if (!equalBytes(seedCommitment(context, id, secret), kind.seedCommitment)) throw inconsistent(id)
      yield { sign: 1, keys: selfMask(secret, context, activeDigest, id) }
      continue
    }
    if (!equalBytes(curves.x25519Public(secret), maskKey)) throw inconsistent(id)
    for (const [i, peer] of kind.peers.entries()) {
      const survivor = { id: peer, maskKey: kind.peerKeys.subarray(KEY_BYTES * i, KEY_BYTES * (i + 1)) }
      const mask = pairMask(curves, secret, dealer, survivor, context, activeDigest)
      if (mask === undefined) throw inconsistent(peer)
      yield { sign: mask.sign === 1 ? -1 : 1, keys: mask.keys } // the survivor's half of the pair
    }
  }
}

function combine({ xs, shares }: SharedSecret, coefficients: Map<string, Uint8Array>): Uint8Array {
  const key = xs.join()
  const lagrange = coefficients.get(key) ?? lagrangeAtZero([...xs])
  coefficients.set(key, lagrange)
  const size = shares.length / xs.length
  const parts = Array.from(xs, (x, i) => ({ x, bytes: shares.subarray(size * i, size * (i + 1)) }))
  return combineShares(parts, lagrange)
}

function pack(parts: readonly Uint8Array[]): Uint8Array {
  const size = parts[0]?.length ?? 0
  const packed = new Uint8Array(size * parts.length)
  for (const [i, part] of parts.entries()) packed.set(part, size * i)
  return packed
}

function inconsistent(dealer: ClientId): FedweaveError {
  return new FedweaveError(
    'FL_TOO_FEW_SHARES',
    `the shares that client ${dealer} dealt do not give the secret that it committed to`,
  )
}
