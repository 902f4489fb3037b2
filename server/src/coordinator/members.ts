import { type ClientId, clientIdOf, FedweaveError, type RosterEntry } from '@fedweave/aggregator'
import type { Peer } from './peer.ts'

/** A client that has proved its identity to this task. */
export interface Member {
  readonly id: ClientId
  readonly entry: Omit<RosterEntry, 'nonce'>
  /** Hex bearer token of its uploads. */
  readonly session: string
  peer: Peer | undefined
  /** It has been away for longer than the grace period. */
  gone: boolean
  /** Hex hash of the model on which it may send no further update; cleared when it says that it is available. */
  spentOn: string | undefined
  /** It reported data that no committed round has seen. */
  newData: boolean
  /** Rounds that it took part in: selection prefers those with fewer. */
  rounds: number
}

/** The clients of one task, one live session for each identity. */
export class Members {
  readonly #byId = new Map<ClientId, Member>()
  readonly #bySession = new Map<string, Member>()
  readonly #connected = new Set<Member>()

  get connected(): readonly Member[] {
    return [...this.#connected]
  }

  get connections(): number {
    return this.#connected.size
  }

  get(id: ClientId): Member | undefined {
    return this.#byId.get(id)
  }

  bySession(token: string): Member | undefined {
    return this.#bySession.get(token)
  }

  /**
   * Takes a client in. The same channel key means the same process on a new connection, which replaces the old one;
   * another channel key while the first is connected means a second client with this identity, which is refused with
   * `FL_SESSION_REPLACED`.
   */
  join(entry: Omit<RosterEntry, 'nonce'>, session: string, peer: Peer): Member {
    const id = clientIdOf(entry.certificate.identityKey)
    const before = this.#byId.get(id)
    const same = before !== undefined && Buffer.from(before.entry.channelKey).equals(entry.channelKey)
    if (before?.peer !== undefined && !same) {
      throw new FedweaveError('FL_SESSION_REPLACED', `client ${id} is already connected from elsewhere`)
    }
    if (before !== undefined) {
      this.#bySession.delete(before.session)
      this.#connected.delete(before)
      before.peer?.close()
    }
    const fresh = { gone: false, spentOn: undefined, newData: false }
    const member: Member = { id, entry, session, peer, ...fresh, rounds: before?.rounds ?? 0 }
    this.#byId.set(id, member)
    this.#bySession.set(session, member)
    this.#connected.add(member)
    return member
  }

  /** Its connection is gone; false where it is already back on another. */
  left(member: Member, peer: Peer): boolean {
    if (member.peer !== peer) return false
    member.peer = undefined
    this.#connected.delete(member)
    return true
  }

  /** Whether it has not come back since it left. */
  isAway(member: Member): boolean {
    return this.#byId.get(member.id) === member && member.peer === undefined
  }

  /** Connected clients that reported new data. */
  get reports(): number {
    return this.connected.filter(({ newData }) => newData).length
  }

  /** Their round was committed, with the data of the survivors. */
  tookPart(ids: readonly ClientId[], survivors: readonly ClientId[]): void {
    for (const id of survivors) {
      const member = this.#byId.get(id)
      if (member !== undefined) member.newData = false
    }
    for (const id of ids) {
      const member = this.#byId.get(id)
      if (member !== undefined) member.rounds += 1
    }
    this.forgetGone(ids)
  }

  /** Of a round that is over: who went away in it need not be remembered. */
  forgetGone(ids: readonly ClientId[]): void {
    for (const id of ids) {
      const member = this.#byId.get(id)
      if (member?.gone) this.forget(member)
    }
  }

  forget(member: Member): void {
    this.#bySession.delete(member.session)
    if (this.#byId.get(member.id) === member) this.#byId.delete(member.id)
  }
}
