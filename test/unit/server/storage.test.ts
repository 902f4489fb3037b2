import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, test } from 'vitest'
import { openFileStore } from '../../../server/src/storage/files.ts'
import { MemoryDisk, memoryStore } from '../../../server/src/storage/memory.ts'
import { storeContract } from '../../../server/src/storage/store-contract.ts'

const root = await mkdtemp(join(tmpdir(), 'fedweave-store-'))
afterAll(() => rm(root, { recursive: true }))
let folders = 0

describe('the file store', () => {
  const suite = storeContract(async () => {
    const folder = join(root, String(folders++))
    return { store: await openFileStore(folder), reopen: () => openFileStore(folder) }
  })
  for (const { name, run } of suite) test(name, run)
})

describe('the memory store', () => {
  const suite = storeContract(async () => {
    const disk = new MemoryDisk()
    return { store: memoryStore(disk), reopen: async () => memoryStore(disk) }
  })
  for (const { name, run } of suite) test(name, run)
})
