import { fromHex, utf8 } from '../core/bytes.ts'
import { expand, PRG_KEY_BYTES, type Prg } from '../crypto/prg.ts'
import { noblePrg } from '../crypto/prg-noble.ts'
import { Quantiser } from '../quantise/quantiser.ts'
import { Ring } from '../quantise/ring.ts'
import { type ContractCase, expectCode, expectThat, firstDifference } from './contract.ts'

/** RFC 8439, appendix A.1, test vectors 1 to 4: those with a nonce of zeros. */
const VECTORS: readonly { key: Uint8Array; block: number; hex: string }[] = [
  {
    key: new Uint8Array(PRG_KEY_BYTES),
    block: 0,
    hex:
      '76b8e0ada0f13d90405d6ae55386bd28bdd219b8a08ded1aa836efcc8b770dc7' +
      'da41597c5157488d7724e03fb8d84a376a43b8f41518a11cc387b669b2ee6586',
  },
  {
    key: new Uint8Array(PRG_KEY_BYTES),
    block: 1,
    hex:
      '9f07e7be5551387a98ba977c732d080dcb0f29a048e3656912c6533e32ee7aed' +
      '29b721769ce64e43d57133b074d839d531ed1f28510afb45ace10a1f4b794d6f',
  },
  {
    key: new Uint8Array(PRG_KEY_BYTES).fill(1, 31),
    block: 1,
    hex:
      '3aeb5224ecf849929b9d828db1ced4dd832025e8018b8160b82284f3c949aa5a' +
      '8eca00bbb4a73bdad192b5c42f73f2fd4e273644c8b36125a64addeb006c13a0',
  },
  {
    key: new Uint8Array(PRG_KEY_BYTES).fill(0xff, 1, 2),
    block: 2,
    hex:
      '72d54dfbf12ec44b362692df94137f328fea8da73990265ec1bbbea1ae9af0ca' +
      '13b25aa26cb4a648cb9b9d1be65b2c0924a66c54d545ec1b7374f4872e99f096',
  },
]

/** Around the edges of blocks (16 words), groups (64) and tiles (4096 and 16384), and across several tiles. */
const LENGTHS = [0, 1, 15, 16, 17, 63, 64, 65, 4095, 4096, 4097, 16_383, 16_384, 16_385, 50_001]

const KEY_A = utf8('a key of exactly 32 bytes, no. 1')
const KEY_B = utf8('a key of exactly 32 bytes, no. 2')

/** What every `Prg` must do. `makePrg` gives the implementation under test. */
export function prgContract(makePrg: () => Prg): readonly ContractCase[] {
  return [
    {
      name: 'gives the keystream of RFC 8439, appendix A.1',
      run() {
        for (const { key, block, hex } of VECTORS) {
          const stream = expand(makePrg(), key, 16 * (block + 1)).slice(16 * block)
          expectSame(stream, new Uint32Array(fromHex(hex, 64).buffer), `block ${block}`)
        }
      },
    },
    {
      name: 'equals the reference implementation at every length',
      run() {
        for (const length of LENGTHS) {
          expectSame(expand(makePrg(), KEY_A, length), expand(noblePrg, KEY_A, length), `length ${length}`)
        }
      },
    },
    {
      name: 'starts from zeros and adds streams and vectors mod 2^32',
      run() {
        for (const length of LENGTHS) {
          const sum = makePrg().accumulator(length)
          expectSame(sum.words, new Uint32Array(length), `a new accumulator of ${length}`)
          const term = Uint32Array.from({ length }, (_, i) => 0xffffffff - 7 * i)
          sum.addWords(term)
          sum.addStream(KEY_A)
          sum.addStream(KEY_A)
          sum.subtractStream(KEY_B)
          const [a, b] = [expand(noblePrg, KEY_A, length), expand(noblePrg, KEY_B, length)]
          const expected = term.map((word, i) => word + 2 * (a[i] as number) - (b[i] as number))
          expectSame(sum.words, expected, `length ${length}`)
        }
      },
    },
    {
      name: 'is back at zeros when all that was added is taken away, in any order',
      run() {
        for (const length of LENGTHS) {
          const sum = makePrg().accumulator(length)
          sum.addStream(KEY_A)
          sum.subtractStream(KEY_B)
          sum.subtractStream(KEY_A)
          sum.addStream(KEY_B)
          expectSame(sum.words, new Uint32Array(length), `length ${length}`)
        }
      },
    },
    {
      name: 'shows its words live, and may be added to itself',
      run() {
        const sum = makePrg().accumulator(5000)
        const { words } = sum
        words.fill(3)
        sum.addWords(words)
        expectSame(words, new Uint32Array(5000).fill(6), 'doubled words')
      },
    },
    {
      name: 'packs its words and adds packed ones as plain JavaScript does, in a ring of any width',
      run() {
        for (let bits = 8; bits <= 32; bits++) {
          const ring = new Ring(bits)
          for (const length of LENGTHS) {
            const sum = makePrg().accumulator(length)
            sum.addStream(KEY_A)
            const before = sum.words.slice()
            const message = new Uint8Array(ring.packedBytes(length) + 8).fill(0xee)
            ring.packSumInto(message.subarray(4, -4), sum)
            const packed = ring.pack(before)
            const around = message.subarray(0, 4).join() + message.subarray(-4).join()
            expectThat(message.subarray(4, -4).join() === packed.join(), `${length} words of ${bits} bits are packed as they are`)
            expectThat(around === '238,238,238,238'.repeat(2), 'packing writes nothing around')
            ring.addPacked(sum, message.subarray(4, -4))
            const unpacked = ring.unpack(packed, length)
            expectSame(
              sum.words,
              before.map((word, i) => word + (unpacked[i] as number)),
              `${length} words of ${bits} bits`,
            )
          }
        }
      },
    },
    {
      name: 'encodes in its random words as plain JavaScript does',
      run() {
        for (const valueBits of [2, 8, 24]) {
          const quantiser = new Quantiser({ clipBound: 0.7, valueBits, totalWeight: 100 })
          for (const length of LENGTHS) {
            const sum = makePrg().accumulator(length)
            sum.addStream(KEY_A)
            const delta = Float32Array.from({ length }, (_, i) => Math.sin(i) / (1 + (i % 9)) ** 4) // some are above the bound
            const expected = quantiser.encode(delta, 3, sum.words.slice())
            quantiser.encodeInto(sum, delta, 3)
            expectSame(sum.words, expected, `${length} coordinates of ${valueBits} bits`)
          }
          expectCode('FL_UPDATE_SHAPE', () => quantiser.encodeInto(makePrg().accumulator(5), new Float32Array(4), 3))
          expectCode('FL_OUT_OF_RANGE', () => quantiser.encodeInto(makePrg().accumulator(5), new Float32Array(5), 101))
        }
      },
    },
    {
      name: 'keeps accumulators apart and keys untouched',
      run() {
        const prg = makePrg()
        const [one, other] = [prg.accumulator(100), prg.accumulator(100)]
        const key = KEY_A.slice()
        one.addStream(key)
        expectSame(other.words, new Uint32Array(100), 'the other accumulator')
        expectThat(key.join() === KEY_A.join(), 'the key is not changed')
      },
    },
    {
      name: 'refuses keys and vectors of another length and stays as it was',
      run() {
        const sum = makePrg().accumulator(10)
        for (const bytes of [0, 16, 31, 33]) {
          expectCode('FL_OUT_OF_RANGE', () => sum.addStream(new Uint8Array(bytes)))
          expectCode('FL_OUT_OF_RANGE', () => sum.subtractStream(new Uint8Array(bytes)))
        }
        for (const length of [0, 9, 11]) expectCode('FL_UPDATE_SHAPE', () => sum.addWords(new Uint32Array(length).fill(1)))
        expectSame(sum.words, new Uint32Array(10), 'after refusals')
      },
    },
  ]
}

function expectSame(got: Uint32Array, expected: Uint32Array, what: string): void {
  expectThat(got.length === expected.length, `${what}: ${expected.length} words, got ${got.length}`)
  const at = firstDifference(got, expected)
  expectThat(at === -1, `${what}: word ${at} is ${expected[at]}, got ${got[at]}`)
}
