import type { ClientId } from '../core/ids.ts'
import { sharedKey } from '../crypto/box.ts'
import type { Curves } from '../crypto/curves.ts'
import type { RosterEntry } from '../wire/records.ts'
import { placeOf } from './graph.ts'

/** `nacl.box.before` with the other clients of a roster, computed when first needed: a sparse graph needs few of them. */
export class SharedKeys {
  readonly #curves: Curves
  readonly #secret: Uint8Array
  readonly #roster: readonly RosterEntry[]
  readonly #places: ReadonlyMap<ClientId, number>
  readonly #known = new Map<ClientId, Uint8Array | undefined>()

  constructor(curves: Curves, secret: Uint8Array, roster: readonly RosterEntry[], places: ReadonlyMap<ClientId, number>) {
    this.#curves = curves
    this.#secret = secret
    this.#roster = roster
    this.#places = places
  }

  /** `undefined` when that client's channel key has low order. */
  with(id: ClientId): Uint8Array | undefined {
    if (!this.#known.has(id)) {
      const { channelKey } = this.#roster[placeOf(this.#places, id)] as RosterEntry
      this.#known.set(id, sharedKey(this.#curves, this.#secret, channelKey))
    }
    return this.#known.get(id)
  }
}
