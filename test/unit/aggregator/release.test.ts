import { expect, test } from 'vitest'
import { release } from '../../../aggregator/src/node/release.ts'

test('released memory is no longer counted as that of arrays', () => {
  const before = process.memoryUsage().arrayBuffers
  for (let i = 0; i < 8; i++) release(new Uint8Array(100_000_000), new Float32Array(1_000_000))
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(100_000_000)
})

test('what was released is empty, and so is every view of it', () => {
  const array = new Uint32Array(1000)
  const view = new Uint8Array(array.buffer, 8, 100)
  release(array)
  expect([array.length, view.length, array.buffer.byteLength]).toEqual([0, 0, 0])
})

test('shared memory is refused, for others may read it', () => {
  const shared = new Uint8Array(new SharedArrayBuffer(8))
  expect(() => release(shared)).toThrow()
  expect(shared.length).toBe(8)
})
