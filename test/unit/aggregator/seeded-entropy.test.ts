import { sha256 } from '@noble/hashes/sha2.js'
import { expect, test } from 'vitest'
import { concat, utf8 } from '../../../aggregator/src/core/bytes.ts'
import { expand } from '../../../aggregator/src/crypto/prg.ts'
import { noblePrg } from '../../../aggregator/src/crypto/prg-noble.ts'
import { seededEntropy } from '../../../aggregator/src/testing/index.ts'

test('is the ChaCha20 stream under the hash of the seed', () => {
  const stream = expand(noblePrg, sha256(utf8('a seed')), 100)
  expect(seededEntropy('a seed').bytes(400)).toEqual(new Uint8Array(stream.buffer))
})

test('gives the same bytes however they are read, from a string or its bytes', () => {
  const [whole, cut] = [seededEntropy('s'), seededEntropy(utf8('s'))]
  const parts = [0, 1, 63, 64, 65, 200].map((length) => cut.bytes(length))
  expect(concat(...parts)).toEqual(whole.bytes(393))
})

test('another seed gives other bytes', () => {
  expect(seededEntropy('a').bytes(32)).not.toEqual(seededEntropy('b').bytes(32))
})
