import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openFileStore } from '../../../server/src/storage/files.ts'
import type { Store } from '../../../server/src/storage/store.ts'

let root: string
let folder: string
let journal: string
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'fedweave-files-'))
  folder = join(root, 'made', 'on', 'the', 'way')
  journal = join(folder, 'journal.log')
})
afterEach(() => rm(root, { recursive: true }))

const bytes = (text: string) => new TextEncoder().encode(text)

/** Leaves a closed store whose journal holds `texts`. */
async function written(...texts: string[]): Promise<void> {
  const store = await openFileStore(folder)
  for (const text of texts) await store.append(bytes(text))
  await store.close()
}

async function recordsOf(store: Store): Promise<Uint8Array[]> {
  const records: Uint8Array[] = []
  for await (const record of store.records()) records.push(record.bytes.slice())
  return records
}

describe('the journal on disk', () => {
  test('a tail cut at any byte of the last record loses that record alone, and appending goes on behind the cut', async () => {
    await written('one', 'two')
    const before = (await stat(journal)).size
    await written('three')
    const whole = await readFile(journal)
    for (let size = before; size < whole.length; size++) {
      await writeFile(journal, whole.subarray(0, size))
      const store = await openFileStore(folder)
      expect(await recordsOf(store)).toEqual([bytes('one'), bytes('two')])
      expect((await stat(journal)).size).toBe(before)
      await store.append(bytes('four'))
      await store.close()
      const again = await openFileStore(folder)
      expect(await recordsOf(again)).toEqual([bytes('one'), bytes('two'), bytes('four')])
      await again.close()
    }
  })

  test('a flipped byte anywhere, a length that points past the end included, refuses to open and names file and offset', async () => {
    await written('one', 'two')
    const second = (await stat(journal)).size
    await written('three', 'four')
    const whole = await readFile(journal)
    const third = second + 16 + 'three'.length
    for (let at = second; at < third; at++) {
      const altered = Buffer.from(whole)
      altered[at] = (altered[at] as number) ^ 0x80
      await writeFile(journal, altered)
      await expect(openFileStore(folder)).rejects.toMatchObject({
        code: 'FL_STORE_DAMAGED',
        message: expect.stringContaining(`${journal}: the record at byte ${second} is damaged`),
      })
    }
    await writeFile(journal, whole)
    await (await openFileStore(folder)).close() // a refusal left no lock behind
  })

  test('what was damaged since the journal was opened shows when it is read, with file and offset, however far it lies behind', async () => {
    const store = await openFileStore(folder)
    const large = bytes('x'.repeat(700_000))
    for (const record of [large, large, large, bytes('last')]) await store.append(record)
    const at = 3 * (16 + large.length)
    const whole = await readFile(journal)
    whole[at + 18] = 0
    await writeFile(journal, whole)
    const seen: number[] = []
    const reading = async () => {
      for await (const record of store.records()) seen.push(record.bytes.length)
    }
    await expect(reading()).rejects.toMatchObject({
      code: 'FL_STORE_DAMAGED',
      message: expect.stringContaining(`${journal}: the record at byte ${at} is damaged`),
    })
    expect(seen).toEqual([700_000, 700_000, 700_000].slice(0, seen.length))
    await truncate(journal, at)
    await expect(reading()).rejects.toMatchObject({ code: 'FL_STORE_DAMAGED', message: expect.stringContaining(`at byte ${at}`) })
    await store.close()
  })

  test('a record cut out of the middle is damage, not a torn tail', async () => {
    await written('one')
    const first = (await stat(journal)).size
    await written('two', 'three')
    const whole = await readFile(journal)
    await writeFile(journal, Buffer.concat([whole.subarray(0, first + 7), whole.subarray(first + 12)]))
    await expect(openFileStore(folder)).rejects.toMatchObject({ code: 'FL_STORE_DAMAGED' })
  })
})

test('a folder that cannot be made is refused by name', async () => {
  await writeFile(join(root, 'made'), 'a file where a folder should be')
  await expect(openFileStore(folder)).rejects.toMatchObject({
    code: 'FL_CONFIG_INVALID',
    message: expect.stringContaining(`cannot keep data in ${folder}: ENOTDIR`),
  })
})

describe('checkpoints and notes on disk', () => {
  test('an altered or shortened checkpoint is refused by name, and putting it again mends it', async () => {
    const store = await openFileStore(folder)
    const weights = bytes('weights of a model')
    const name = await store.putCheckpoint(weights)
    const file = join(folder, 'checkpoints', name)
    for (const harm of [() => writeFile(file, bytes('weights of a modeL')), () => truncate(file, 5), () => truncate(file, 0)]) {
      await harm()
      await expect(store.checkpoint(name)).rejects.toMatchObject({
        code: 'FL_STORE_DAMAGED',
        message: expect.stringContaining(file),
      })
      await store.putCheckpoint(weights)
      expect(await store.checkpoint(name)).toEqual(weights)
    }
    await store.close()
  })

  test('an altered or shortened note is refused by name', async () => {
    const store = await openFileStore(folder)
    const file = join(folder, 'notes', 'round-0')
    await store.note('round-0', bytes('a note'))
    const whole = await readFile(file)
    for (const harmed of [
      whole.subarray(0, -1),
      whole.subarray(0, 3),
      Buffer.alloc(0),
      Buffer.concat([whole, whole]),
      whole.map((b) => b ^ 1),
    ]) {
      await writeFile(file, harmed)
      await expect(store.readNote('round-0')).rejects.toMatchObject({
        code: 'FL_STORE_DAMAGED',
        message: expect.stringContaining(file),
      })
    }
    await store.close()
  })

  test('temporary files of an interrupted write are gone after opening', async () => {
    const first = await openFileStore(folder)
    const name = await first.putCheckpoint(bytes('whole'))
    await first.close()
    await writeFile(join(folder, 'checkpoints', `${'0'.repeat(64)}.tmp`), 'half a model')
    await writeFile(join(folder, 'notes', 'round.tmp'), 'half a note')
    const store = await openFileStore(folder)
    expect(await readdir(join(folder, 'checkpoints'))).toEqual([name])
    expect(await readdir(join(folder, 'notes'))).toEqual([])
    await store.close()
  })

  test('only the owner can read the files and enter the folders', async () => {
    const store = await openFileStore(folder)
    const name = await store.putCheckpoint(bytes('weights'))
    await store.note('round-0', bytes('note'))
    await store.append(bytes('record'))
    const mode = async (...path: string[]) => (await stat(join(folder, ...path))).mode & 0o777
    expect(await mode()).toBe(0o700)
    expect(await mode('checkpoints')).toBe(0o700)
    expect(await mode('notes')).toBe(0o700)
    expect(await mode('journal.log')).toBe(0o600)
    expect(await mode('checkpoints', name)).toBe(0o600)
    expect(await mode('notes', 'round-0')).toBe(0o600)
    await store.close()
  })
})

describe('the lock', () => {
  const claims = async () => (await readdir(folder)).filter((name) => name.startsWith('lock.'))

  test('a folder opens once at a time, and again after closing', async () => {
    const store = await openFileStore(folder)
    await expect(openFileStore(folder)).rejects.toMatchObject({
      code: 'FL_CONFIG_INVALID',
      message: expect.stringContaining(`process ${process.pid}`),
    })
    await store.append(bytes('still mine'))
    await store.close()
    expect(await claims()).toEqual([])
    await (await openFileStore(folder)).close()
  })

  test.runIf(existsSync('/proc/self/stat'))(
    'the claim of a live process blocks and stays; after kill -9 it does not block, even before the zombie is reaped',
    async () => {
      await (await openFileStore(folder)).close()
      const other = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' })
      await once(other, 'spawn')
      const fields = (await readFile(`/proc/${other.pid}/stat`, 'utf8')).split(') ')[1]?.split(' ') ?? []
      const boot = (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).slice(0, 8)
      const claim = `lock.${other.pid}.${boot}-${fields[19]}`
      await writeFile(join(folder, claim), '')

      await expect(openFileStore(folder)).rejects.toMatchObject({
        code: 'FL_CONFIG_INVALID',
        message: expect.stringContaining(`process ${other.pid}`),
      })
      expect(await claims()).toEqual([claim])

      other.kill('SIGKILL')
      await once(other, 'exit')
      await (await openFileStore(folder)).close()
      expect(await claims()).toEqual([])
    },
  )

  test('a claim under the pid of a live process that started at another time is dead', async () => {
    await (await openFileStore(folder)).close()
    await writeFile(join(folder, `lock.${process.ppid}.00000000-1`), '')
    await (await openFileStore(folder)).close()
    expect(await claims()).toEqual([])
  })
})
