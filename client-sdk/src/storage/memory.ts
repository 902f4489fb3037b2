import type { ClientStore, Ledger } from './store.ts'

/** A store for tests, simulations and one-off clients: a client that restarts is a new one. */
export function memoryStore(): ClientStore {
  let seed: Uint8Array | undefined
  let certificate: Uint8Array | undefined
  const ledgers = new Map<string, Ledger>()
  return {
    async identity(create) {
      seed ??= create()
      return { seed }
    },
    certificate: async () => certificate,
    async saveCertificate(bytes) {
      certificate = bytes
    },
    ledger: async (task) => ledgers.get(task),
    async saveLedger(task, ledger) {
      ledgers.set(task, ledger)
    },
  }
}
