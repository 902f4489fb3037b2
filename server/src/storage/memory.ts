import { checkpointName, type NoteName, type Store, storeClosed } from './store.ts'

/** What outlives a `memoryStore`, as a disk outlives a process; hand it to the next one to "restart". */
export class MemoryDisk {
  readonly journal: Uint8Array[] = []
  readonly checkpoints = new Map<string, Uint8Array>()
  readonly notes = new Map<NoteName, Uint8Array>()
}

/** A store for tests and simulations: keeps copies, loses nothing while `disk` lives. */
export function memoryStore(disk = new MemoryDisk()): Store {
  let closed = false
  const check = () => {
    if (closed) throw storeClosed()
  }
  return {
    async *records() {
      check()
      for (const [index, record] of [...disk.journal].entries()) {
        yield { bytes: record.slice(), place: `record ${index}` }
        check()
      }
    },
    async append(record) {
      check()
      disk.journal.push(record.slice())
    },
    async putCheckpoint(bytes) {
      check()
      const name = checkpointName(bytes)
      disk.checkpoints.set(name, bytes.slice())
      return name
    },
    async keepCheckpoints(hashes) {
      check()
      for (const name of disk.checkpoints.keys()) if (!hashes.has(name)) disk.checkpoints.delete(name)
    },
    async checkpoint(hash) {
      check()
      return disk.checkpoints.get(hash)?.slice()
    },
    async note(name, bytes) {
      check()
      disk.notes.set(name, bytes.slice())
    },
    async readNote(name) {
      check()
      return disk.notes.get(name)?.slice()
    },
    async close() {
      closed = true
    },
  }
}
