import { type ClientId, type ClientMessage, equalBytes, type ServerMessage } from '@fedweave/aggregator'

type Aborted = Extract<ClientMessage, { type: 'aborted' }>
type Macs = Extract<ServerMessage, { type: 'aborts' }>['macs']

interface Statement {
  readonly context: Uint8Array
  readonly macs: ReadonlyMap<ClientId, Uint8Array>
}

/** Rounds on one base model that a client may have seen aborted before others heard of the first. */
const KEPT_PER_CLIENT = 8
/** About 60 MB: more than every client of a cohort of a thousand says of one round. */
const KEPT_MACS = 250_000

/**
 * Keeps clients' statements that a round was aborted for those who are not there to hear them. The server cannot read or
 * forge them; after a restart it has them again from the clients, which know more of that round than it does.
 */
export class AbortMailbox {
  readonly #from = new Map<ClientId, readonly Statement[]>()
  #kept = 0

  /** Keeps a client's newest statements; what it said before about the same context stands. Whether it was new. */
  post(from: ClientId, { context, macs }: Omit<Aborted, 'type'>): boolean {
    const before = this.#from.get(from) ?? []
    if (before.some((statement) => equalBytes(statement.context, context))) return false
    this.#forget(from) // the last to speak is the last to be forgotten
    const statement = { context: context.slice(), macs: new Map(macs.map(({ peer, mac }) => [peer, mac.slice()])) }
    const kept = [statement, ...before].slice(0, KEPT_PER_CLIENT)
    this.#from.set(from, kept)
    this.#kept += macsOf(kept)
    for (const other of this.#from.keys()) {
      if (this.#kept <= KEPT_MACS || other === from) break
      this.#forget(other)
    }
    return true
  }

  /** What others said to `to`, one message a context; statements on a round that still runs are held back until it is over. */
  messagesFor(to: ClientId, isRunning: (context: Uint8Array) => boolean): ServerMessage[] {
    const messages = new Map<string, { readonly context: Uint8Array; readonly macs: Macs[number][] }>()
    for (const [from, statements] of this.#from) {
      for (const { context, macs } of statements) {
        const mac = macs.get(to)
        if (mac === undefined || isRunning(context)) continue
        const key = Buffer.from(context).toString('hex')
        const message = messages.get(key) ?? { context, macs: [] }
        message.macs.push({ peer: from, mac })
        messages.set(key, message)
      }
    }
    return [...messages.values()].map((message) => ({ type: 'aborts', ...message }))
  }

  /** A new model is there: nobody needs a way back to the one before. */
  clear(): void {
    this.#from.clear()
    this.#kept = 0
  }

  #forget(from: ClientId): void {
    this.#kept -= macsOf(this.#from.get(from) ?? [])
    this.#from.delete(from)
  }
}

function macsOf(statements: readonly Statement[]): number {
  return statements.reduce((sum, { macs }) => sum + macs.size, 0)
}
