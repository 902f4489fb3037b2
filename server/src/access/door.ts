import type { IncomingMessage } from 'node:http'
import { FedweaveError } from '@fedweave/aggregator'
import type { Limits } from '../config/limits.ts'
import { addressOf, type TrustProxy, trustedProxies } from '../limits/address.ts'
import { Buckets } from '../limits/buckets.ts'
import type { JoinGate } from './join-gate.ts'
import { checkOrigin } from './origins.ts'

export interface DoorOptions {
  readonly limits: Limits
  readonly origins?: readonly string[]
  readonly trustProxy?: readonly string[]
}

/** What everybody meets first, on both planes: origins, rates by address, and the number of connections. */
export class Door {
  readonly trust: TrustProxy
  readonly #limits: Limits
  readonly #origins: readonly string[]
  readonly #requests: Buckets
  readonly #connected = new Map<string, number>()
  #total = 0
  #closing = false

  constructor({ limits, origins = [], trustProxy = [] }: DoorOptions) {
    this.#limits = limits
    this.#origins = origins
    this.#requests = new Buckets(limits.requestsPerSecond)
    this.trust = trustedProxies(trustProxy)
  }

  addressOf(request: IncomingMessage): string {
    return addressOf(request, this.trust)
  }

  /** Any request over HTTP. Throws `FL_ORIGIN_REFUSED`, `FL_RATE_LIMITED`. */
  enter(request: IncomingMessage): void {
    checkOrigin(request.headers, this.#origins)
    if (this.#requests.take(this.addressOf(request), performance.now())) return
    throw new FedweaveError(
      'FL_RATE_LIMITED',
      `more requests from one address than \`limits.requestsPerSecond\`, ${this.#limits.requestsPerSecond}, allows`,
    )
  }

  /**
   * A connection of the control plane, before it is upgraded; `token` as the client shows it. Throws `FL_SERVER_BUSY` besides the
   * errors of `enter` and of the gate.
   */
  admit(request: IncomingMessage, token: string | undefined, gate: JoinGate): void {
    this.enter(request)
    if (this.#closing) throw new FedweaveError('FL_SERVER_BUSY', 'the server is stopping')
    const { clients, clientsPerAddress } = this.#limits
    if (this.#total >= clients)
      throw new FedweaveError('FL_SERVER_BUSY', `all ${clients} connections of \`limits.clients\` are taken`)
    if ((this.#connected.get(this.addressOf(request)) ?? 0) >= clientsPerAddress) {
      throw new FedweaveError(
        'FL_SERVER_BUSY',
        `all ${clientsPerAddress} connections of one address are taken, \`limits.clientsPerAddress\``,
      )
    }
    gate.admit(token, Date.now())
  }

  /** Counts a connection that stands; returns what to call at its end. */
  connected(request: IncomingMessage): () => void {
    const address = this.addressOf(request)
    this.#count(address, 1)
    return () => this.#count(address, -1)
  }

  /** From now on no connection is admitted. */
  close(): void {
    this.#closing = true
  }

  #count(address: string, by: 1 | -1): void {
    this.#total += by
    const count = (this.#connected.get(address) ?? 0) + by
    if (count === 0) this.#connected.delete(address)
    else this.#connected.set(address, count)
  }
}
