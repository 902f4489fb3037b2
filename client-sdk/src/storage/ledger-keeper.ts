import { fromHex, type LedgerHead, type LedgerView, toHex } from '@fedweave/aggregator'
import { type ClientStore, EMPTY_LEDGER, type Ledger } from './store.ts'

/** One task's ledger: every change is durable before the promise resolves. */
export class LedgerKeeper {
  readonly #store: ClientStore
  readonly #task: string
  #ledger: Ledger
  #tail: Promise<unknown> = Promise.resolve()

  private constructor(store: ClientStore, task: string, ledger: Ledger) {
    this.#store = store
    this.#task = task
    this.#ledger = ledger
  }

  static async open(store: ClientStore, task: string): Promise<LedgerKeeper> {
    return new LedgerKeeper(store, task, (await store.ledger(task)) ?? EMPTY_LEDGER)
  }

  get current(): Ledger {
    return this.#ledger
  }

  get view(): LedgerView {
    const { highestRound, head } = this.#ledger
    if (head === undefined) return { highestRound, head }
    return { highestRound, head: { index: head.index, hash: fromHex(head.hash), modelHash: fromHex(head.modelHash) } }
  }

  isSpent(modelHash: Uint8Array): boolean {
    const hex = toHex(modelHash)
    return this.#ledger.spent.some((mark) => mark.modelHash === hex)
  }

  remember(round: number, head: LedgerHead): Promise<void> {
    return this.#change((before) => ({ ...before, highestRound: round, head: hexHead(head) }))
  }

  /** A round in which this client counted is committed. */
  advance(head: LedgerHead): Promise<void> {
    return this.#change((before) => ({ ...before, head: hexHead(head), counted: true }))
  }

  spend(modelHash: Uint8Array, context: Uint8Array): Promise<void> {
    const mark = { modelHash: toHex(modelHash), context: toHex(context) }
    return this.#change((before) => ({ ...before, spent: [...before.spent, mark] }))
  }

  /** Takes back the mark of that round only. */
  reopen(context: Uint8Array): Promise<void> {
    const hex = toHex(context)
    return this.#change((before) => ({ ...before, spent: before.spent.filter((mark) => mark.context !== hex) }))
  }

  trust(trusted: NonNullable<Ledger['trusted']>): Promise<void> {
    return this.#change((before) => ({ ...before, trusted }))
  }

  /** One change after the other: each is made of what the one before left. */
  #change(change: (before: Ledger) => Ledger): Promise<void> {
    const turn = this.#tail.then(async () => {
      const ledger = change(this.#ledger)
      await this.#store.saveLedger(this.#task, ledger)
      this.#ledger = ledger
    })
    this.#tail = turn.catch(() => undefined) // its caller hears of it; the next change starts from what is durable
    return turn
  }
}

function hexHead({ index, hash, modelHash }: LedgerHead): NonNullable<Ledger['head']> {
  return { index, hash: toHex(hash), modelHash: toHex(modelHash) }
}
