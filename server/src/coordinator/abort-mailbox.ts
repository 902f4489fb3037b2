import { type ClientId, equalBytes, type ServerMessage } from '@fedweave/aggregator'

type Macs = Extract<ServerMessage, { type: 'aborts' }>['macs']

interface Statement {
  readonly context: Uint8Array
  readonly macs: Macs
}

/** A client has one round running, and perhaps one from before a restart of the server. */
const KEPT_PER_CLIENT = 2
const KEPT_CLIENTS = 1000

/**
 * Keeps clients' statements that a round was aborted until the clients they are for have them, even across a restart of
 * the server, of which the clients know more than it does. The server cannot read or forge them.
 */
export class AbortMailbox {
  readonly #from = new Map<ClientId, readonly Statement[]>()

  /** Keeps a client's newest statements; what it said before about the same context stands. Whether it was new. */
  post(from: ClientId, statement: Statement): boolean {
    const before = this.#from.get(from) ?? []
    if (before.some(({ context }) => equalBytes(context, statement.context))) return false
    this.#from.delete(from) // the last to speak is the last to be forgotten
    this.#from.set(from, [statement, ...before].slice(0, KEPT_PER_CLIENT))
    const [oldest] = this.#from.keys()
    if (oldest !== undefined && this.#from.size > KEPT_CLIENTS) this.#from.delete(oldest)
    return true
  }

  /** What others said to `to`, one message a context; statements on a round that still runs are held back until it is over. */
  messagesFor(to: ClientId, isRunning: (context: Uint8Array) => boolean): ServerMessage[] {
    const messages = new Map<string, { readonly context: Uint8Array; readonly macs: Macs[number][] }>()
    for (const [from, statements] of this.#from) {
      for (const { context, macs } of statements) {
        if (isRunning(context)) continue
        const mac = macs.find(({ peer }) => peer === to)
        if (mac === undefined) continue
        const key = Buffer.from(context).toString('hex')
        const message = messages.get(key) ?? { context, macs: [] }
        message.macs.push({ peer: from, mac: mac.mac })
        messages.set(key, message)
      }
    }
    return [...messages.values()].map((message) => ({ type: 'aborts', ...message }))
  }
}
