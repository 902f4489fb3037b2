import { expect, test } from 'vitest'
import { hash } from '../../../aggregator/src/crypto/kdf.ts'
import type { Prg } from '../../../aggregator/src/crypto/prg.ts'
import { noblePrg } from '../../../aggregator/src/crypto/prg-noble.ts'
import type { Fault } from '../../../aggregator/src/secagg/fault.ts'
import type { Segments } from '../../../aggregator/src/secagg/masks.ts'
import { UpdateFormat } from '../../../aggregator/src/secagg/update.ts'
import { harnessConfig } from '../../../aggregator/src/testing/harness-task.ts'
import { seededEntropy } from '../../../aggregator/src/testing/seeded-entropy.ts'
import { wasmPrg } from '../../../aggregator/src/wasm/index.ts'

const SIZE = 5003
const format = new UpdateFormat(harnessConfig(5, SIZE, '0'.repeat(64)))
const masks = [{ sign: -1, keys: { update: hash('a'), counters: hash('b') } }] as const

function masked(prg: Prg, into?: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const delta = Float32Array.from({ length: SIZE }, (_, i) => Math.sin(i) / 100)
  const local = { delta, examples: 1, loss: 1, accuracy: 0.5 }
  return format.quantise(local, hash('a round'), prg, seededEntropy('rounding')).masked(masks, into)
}

test('a masked update has the same bytes in WebAssembly as in JavaScript, and in memory that was used before', () => {
  const used = new Uint8Array(format.plainBytes).fill(0xff)
  expect(masked(wasmPrg(), used)).toBe(used)
  expect(Buffer.compare(used, masked(noblePrg))).toBe(0)
})

test.each([
  ['WebAssembly', wasmPrg()],
  ['JavaScript', noblePrg],
])('in %s, adding the bytes of an update is adding what they are parsed to', (_, prg) => {
  const plain = masked(noblePrg)
  const [sum, expected] = [format.sum(prg), format.sum(noblePrg)]
  for (let i = 0; i < 2; i++) {
    sum.addPlain(plain)
    expected.add(format.parse(plain) as Exclude<Segments<Uint32Array> | Fault, Fault>)
  }
  expect(sum.words()).toEqual(expected.words())
})

test.each([
  ['WebAssembly', wasmPrg()],
  ['JavaScript', noblePrg],
])('in %s, an update with bits after its last parameter is refused, and nothing of it is added', (_, prg) => {
  const plain = masked(noblePrg)
  const last = plain.length - 16 - 1 // before the counters
  plain[last] = 0xff
  const sum = format.sum(prg)
  expect(() => sum.addPlain(plain)).toThrow(expect.objectContaining({ code: 'FL_UPDATE_SHAPE' }))
  expect(sum.words()).toEqual(format.sum(noblePrg).words())
})
