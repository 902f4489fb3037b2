import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { taskFolders } from '../../../server/src/storage/task-folders.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fedweave-folders-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

test('a deleted task leaves nothing, and another may have its id', async () => {
  const folders = taskFolders(folder)
  const store = await folders.openStore('a')
  await store.note('spec', Uint8Array.of(1))
  await store.close()
  await (await folders.openStore('b')).close()
  expect(await folders.ids()).toEqual(['a', 'b'])
  await folders.remove('a')
  expect(await readdir(folder)).toEqual(['b'])
  const again = await folders.openStore('a')
  expect(await again.readNote('spec')).toBeUndefined()
  await again.close()
})

test('what a crash left of a deletion is cleared at the next start, and what is no task is left alone', async () => {
  const folders = taskFolders(folder)
  await mkdir(join(folder, '.removed-0123456789abcdef', 'checkpoints'), { recursive: true })
  await mkdir(join(folder, 'No Task'))
  await writeFile(join(folder, 'No Task', 'file'), '')
  await (await folders.openStore('a')).close()
  expect(await folders.ids()).toEqual(['a'])
  expect((await readdir(folder)).sort()).toEqual(['No Task', 'a'])
})
