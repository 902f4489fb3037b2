import { chacha20 } from '@noble/ciphers/chacha.js'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { noblePrg } from '../../../aggregator/src/crypto/prg-noble.ts'
import { nodePrg } from '../../../aggregator/src/node/prg.ts'
import { wasmPrg } from '../../../aggregator/src/wasm/index.ts'

const key = fc.uint8Array({ minLength: 32, maxLength: 32 })
const operation = fc.oneof(
  fc.record({ kind: fc.constant('add' as const), key }),
  fc.record({ kind: fc.constant('subtract' as const), key }),
  fc.record({ kind: fc.constant('words' as const), seed: fc.integer({ min: 0, max: 0xffffffff }) }),
)

test('any sequence of additions gives the same words on every implementation as done one by one', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 20_000 }), fc.array(operation, { maxLength: 6 }), (length, operations) => {
      const expected = new Uint32Array(length)
      const sums = [noblePrg, wasmPrg(), nodePrg].map((prg) => prg.accumulator(length))
      for (const op of operations) {
        const term =
          op.kind === 'words'
            ? Uint32Array.from({ length }, (_, i) => Math.imul(i + op.seed, 0x9e3779b1))
            : new Uint32Array(chacha20(op.key, new Uint8Array(12), new Uint8Array(4 * length)).buffer)
        for (const sum of sums) {
          if (op.kind === 'words') sum.addWords(term)
          else if (op.kind === 'add') sum.addStream(op.key)
          else sum.subtractStream(op.key)
        }
        const sign = op.kind === 'subtract' ? -1 : 1
        for (let i = 0; i < length; i++) expected[i] = (expected[i] as number) + sign * (term[i] as number)
      }
      for (const sum of sums) expect(Buffer.compare(Buffer.from(sum.words), Buffer.from(expected))).toBe(0)
    }),
    { seed: 1, numRuns: 60 },
  )
})
