import type { Entropy } from '../core/entropy.ts'
import type { ClientId } from '../core/ids.ts'
import type { Member } from '../wire/records.ts'
import type { GraphParams } from './params.ts'

/**
 * Who holds whose shares. Clients are named by their place in the roster. In a complete graph everybody holds everybody's
 * and nothing needs to be sent; in a sparse one each client picks its own holders after the roster is fixed, because a
 * graph that the server could seed is not safe against that server. Bell et al. 2020, section 3.
 */

/** A holder set as it travels: sorted places, the owner's among them; empty in a complete graph. */
export function pickHolders(graph: GraphParams, own: number, entropy: Entropy): readonly number[] {
  if (graph.complete) return []
  const others = Array.from({ length: graph.clients - 1 }, (_, i) => (i < own ? i : i + 1))
  const picked = [own]
  for (let left = others.length; picked.length < graph.holders; left--) {
    const at = uniformBelow(left, entropy)
    picked.push(others[at] as number)
    others[at] = others[left - 1] as number
  }
  return picked.sort((a, b) => a - b)
}

/** Whether a holder set is one that its owner could have picked. */
export function isHolderSet(graph: GraphParams, own: number, holders: readonly number[]): boolean {
  if (graph.complete) return holders.length === 0
  const ascending = holders.every((place, i) => place < graph.clients && (i === 0 || (holders[i - 1] as number) < place))
  return ascending && holders.length === graph.holders && holders.includes(own)
}

/** The holders of a member's shares, by place, in the order of their x coordinates. */
export function holdersOf(graph: GraphParams, { holders }: Member): readonly number[] {
  return graph.complete ? Array.from({ length: graph.clients }, (_, place) => place) : holders
}

/** Whether the client at `place` holds a share of that member. */
export function isHolder(graph: GraphParams, { holders }: Member, place: number): boolean {
  return graph.complete || includesSorted(holders, place)
}

/**
 * The members that share a mask with `member`: those that hold its shares and those whose shares it holds, without
 * itself. `places`: the place of every client of the roster.
 */
export function neighboursOf(
  graph: GraphParams,
  member: Member,
  members: readonly Member[],
  places: ReadonlyMap<ClientId, number>,
): readonly Member[] {
  const own = placeOf(places, member.id)
  return members.filter(
    (other) => other.id !== member.id && (isHolder(graph, other, own) || isHolder(graph, member, placeOf(places, other.id))),
  )
}

export function placesOf(ids: readonly ClientId[]): ReadonlyMap<ClientId, number> {
  return new Map(ids.map((id, place) => [id, place]))
}

export function placeOf(places: ReadonlyMap<ClientId, number>, id: ClientId): number {
  const place = places.get(id)
  if (place === undefined) throw new Error(`client ${id} was checked to be in the roster`)
  return place
}

/** Binary search: a client looks itself up in every other's holder set. */
function includesSorted(sorted: readonly number[], value: number): boolean {
  let [low, high] = [0, sorted.length - 1]
  while (low <= high) {
    const middle = (low + high) >> 1
    const found = sorted[middle] as number
    if (found === value) return true
    if (found < value) low = middle + 1
    else high = middle - 1
  }
  return false
}

/** Uniform over 0 to `bound` - 1, by rejection: a remainder would favour small values. */
function uniformBelow(bound: number, entropy: Entropy): number {
  const limit = Math.floor(2 ** 32 / bound) * bound
  for (;;) {
    const word = new DataView(entropy.bytes(4).slice().buffer).getUint32(0)
    if (word < limit) return word % bound
  }
}
