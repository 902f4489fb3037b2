/** What a client must never forget about one task, whatever happens to its process. Hashes and keys in hex. */
export interface Ledger {
  /** Highest round that this client ever joined. */
  readonly highestRound: number
  /** The committed journal entry that it saw last. */
  readonly head?: { readonly index: number; readonly hash: string; readonly modelHash: string }
  /** Whether an update of this client counted in a committed round. */
  readonly counted?: true
  /** Base models on which an update left this client, each with the context of its round. */
  readonly spent: readonly { readonly modelHash: string; readonly context: string }[]
  /** Keys that it trusted when it first met the task, where none were pinned. */
  readonly trusted?: { readonly operatorKey: string; readonly enrolmentKey: string }
}

export const EMPTY_LEDGER: Ledger = { highestRound: 0, spent: [] }

/** Where a client keeps its identity and its ledgers. `fileStore` in Node; `memoryStore` forgets at the end of the process. */
export interface ClientStore {
  /** The Ed25519 seed of this client's identity; the first call makes it of `create()`. Throws `FL_KEYSTORE`. */
  identity(create: () => Uint8Array): Promise<{ readonly seed: Uint8Array; readonly warning?: string }>
  /** The encoded certificate of that identity, if it was enrolled. */
  certificate(): Promise<Uint8Array | undefined>
  saveCertificate(certificate: Uint8Array): Promise<void>
  ledger(task: string): Promise<Ledger | undefined>
  /** Durable when it resolves. */
  saveLedger(task: string, ledger: Ledger): Promise<void>
}
