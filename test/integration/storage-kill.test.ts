import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openFileStore } from '../../server/src/storage/files.ts'
import { checkpointOf, hashesOf, recordOf, sha256 } from './storage-writer.ts'

const KILLS = 20
const KILLS_PER_STORE = 5
const writer = fileURLToPath(new URL('./storage-writer.ts', import.meta.url))
const node = ['--conditions=source', '--import', 'tsx', writer]

let root: string
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'fedweave-kill-'))
})
afterEach(() => rm(root, { recursive: true }))

/** A seeded sequence in [0, 1) (mulberry32): the moments at which to kill. */
function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

test(`${KILLS} kill -9 while writing lose no acknowledged record or checkpoint and tear none`, async () => {
  const random = seeded(20)
  let written = 0
  for (let group = 0; group < KILLS / KILLS_PER_STORE; group++) {
    const folder = join(root, `store-${group}`)
    let acknowledged = 0
    const checkpoints = new Set<string>()

    for (let kill = 0; kill < KILLS_PER_STORE; kill++) {
      const child = spawn(process.execPath, [...node, 'write', folder], { stdio: ['ignore', 'pipe', 'inherit'] })
      const exited = once(child, 'exit')
      const acks = 1 + Math.floor(random() * 12)
      const pause = random() * 6
      let seen = 0
      for await (const line of createInterface({ input: child.stdout })) {
        const [kind, what] = line.split(' ')
        if (kind === 'record') {
          expect(Number(what)).toBe(acknowledged)
          acknowledged++
        } else checkpoints.add(what as string)
        if (++seen === acks) sleep(pause).then(() => child.kill('SIGKILL'))
      }
      expect((await exited)[1]).toBe('SIGKILL')

      const store = await openFileStore(folder)
      const found = await hashesOf(store)
      expect(found.length - acknowledged).toBeOneOf([0, 1]) // the one in flight may have arrived whole
      expect(found).toEqual(expectedHashes(found.length))
      acknowledged = found.length
      const kept = await readdir(join(folder, 'checkpoints'))
      expect(kept).toEqual(expect.arrayContaining([...checkpoints]))
      const possible = new Set(Array.from({ length: acknowledged + 2 }, (_, index) => sha256(checkpointOf(index))))
      for (const name of kept) {
        expect(possible.has(name)).toBe(true)
        expect(await store.checkpoint(name)).toBeDefined() // throws where the content is not that of its name
      }
      await store.close()
    }
    written += acknowledged
  }
  expect(written).toBeGreaterThan(KILLS)
})

const hashes: string[] = []
function expectedHashes(count: number): string[] {
  while (hashes.length < count) hashes.push(sha256(recordOf(hashes.length)))
  return hashes.slice(0, count)
}

test('a record that the disk refuses leaves no trace, and a smaller one still fits', async () => {
  const folder = join(root, 'store')
  const limit = `ulimit -f 4000; exec "$0" "$@"` // 512-byte blocks: writes beyond 2 MB into one file fail with EFBIG
  const child = spawn('/bin/sh', ['-c', limit, process.execPath, ...node, 'fill', folder], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const exited = once(child, 'exit')
  const lines: string[] = []
  for await (const line of createInterface({ input: child.stdout })) lines.push(line)
  expect(await exited).toEqual([0, null])

  const refused = lines.findIndex((line) => line.startsWith('refused'))
  expect(refused).toBeGreaterThan(0)
  expect(lines.slice(refused)).toEqual([`refused ${refused} FL_SERVER_FAULT`, 'small'])
  const store = await openFileStore(folder)
  const expected = [...Array.from({ length: refused }, (_, index) => recordOf(index)), new Uint8Array([1, 2, 3])]
  expect(await hashesOf(store)).toEqual(expected.map(sha256))
  await store.close()
})
