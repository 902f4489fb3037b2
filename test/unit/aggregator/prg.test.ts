import { createHash } from 'node:crypto'
import { afterEach, describe, expect, test, vi } from 'vitest'
import type { Accumulator, Prg } from '../../../aggregator/src/crypto/prg.ts'
import { expand } from '../../../aggregator/src/crypto/prg.ts'
import { noblePrg } from '../../../aggregator/src/crypto/prg-noble.ts'
import { fastestPrg, nodePrg } from '../../../aggregator/src/node/prg.ts'
import { prgContract } from '../../../aggregator/src/testing/prg-contract.ts'
import { wasmPrg } from '../../../aggregator/src/wasm/index.ts'
import { assembleKernels } from '../../../aggregator/src/wasm/kernels.ts'

describe.each([
  ['noble', () => noblePrg],
  ['wasm', wasmPrg],
  ['node', () => nodePrg],
] as const)('%s as a Prg', (_, makePrg) => {
  for (const { name, run } of prgContract(makePrg)) test(name, run)
})

test('all implementations agree on a vector of the size of a CNN', () => {
  const key = new Uint8Array(32).fill(9)
  const digests = [noblePrg, wasmPrg(), nodePrg].map((prg) =>
    createHash('sha256')
      .update(expand(prg, key, 694_000))
      .digest('hex'),
  )
  expect(new Set(digests).size).toBe(1)
})

test.each<[string, (sum: Accumulator) => Accumulator]>([
  ['forgets the last word', (sum) => ({ ...methods(sum), words: sum.words.subarray(0, -1) })],
  ['adds where it should subtract', (sum) => ({ ...methods(sum), subtractStream: (key) => sum.addStream(key) })],
  ['takes a term of any length', (sum) => ({ ...methods(sum), addWords: () => {} })],
  ['packs nothing', (sum) => ({ ...methods(sum), packInto: () => {} })],
  ['adds nothing that is packed', (sum) => ({ ...methods(sum), addPacked: () => {} })],
  ['encodes nothing', (sum) => ({ ...methods(sum), encode: () => {} })],
])('the contract rejects a Prg that %s', (_, spoil) => {
  const broken: Prg = { name: 'broken', accumulator: (length) => spoil(noblePrg.accumulator(length)) }
  const failed = prgContract(() => broken).filter(({ run }) => {
    try {
      run()
      return false
    } catch {
      return true
    }
  })
  expect(failed).not.toEqual([])
})

function methods(sum: Accumulator): Accumulator {
  return {
    words: sum.words,
    addStream: (key) => sum.addStream(key),
    subtractStream: (key) => sum.subtractStream(key),
    addWords: (term) => sum.addWords(term),
  }
}

test('the kernels are a valid module of less than 4 KiB with the exports that the accumulator calls', () => {
  const bytes = assembleKernels()
  const module = new WebAssembly.Module(bytes)
  expect(bytes.length).toBeLessThan(4096)
  expect(WebAssembly.Module.imports(module)).toEqual([{ module: 'env', name: 'memory', kind: 'memory' }])
  expect(WebAssembly.Module.exports(module)).toEqual(['stream', 'words', 'encode'].map((name) => ({ name, kind: 'function' })))
})

test('Node takes OpenSSL for the fastest', () => {
  expect(fastestPrg()).toBe(nodePrg)
})

describe('on a platform without', () => {
  afterEach(() => {
    vi.restoreAllMocks()
    vi.doUnmock('node:crypto')
    vi.resetModules()
  })

  test('WebAssembly SIMD, wasmPrg says so', async () => {
    vi.resetModules() // the module is compiled once, by the tests above
    vi.spyOn(WebAssembly, 'validate').mockReturnValue(false)
    const fresh = await import('../../../aggregator/src/wasm/index.ts')
    expect(() => fresh.wasmPrg()).toThrow(
      expect.objectContaining({ code: 'FL_DEPENDENCY_MISSING', message: expect.stringContaining('SIMD') }),
    )
    expect(fresh.fastestPrg().name).toBe('noble')
  })

  test('a bare ChaCha20 in its crypto library, the fastest is WebAssembly', async () => {
    vi.resetModules()
    vi.doMock('node:crypto', async (original) => ({ ...(await original<object>()), getCiphers: () => ['aes-256-gcm'] }))
    const fresh = await import('../../../aggregator/src/node/prg.ts')
    expect(fresh.fastestPrg().name).toBe('wasm')
  })
})
