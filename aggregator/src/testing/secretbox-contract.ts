import { fromHex } from '../core/bytes.ts'
import { naclSecretbox, SECRETBOX_TAG_BYTES, type Secretbox } from '../crypto/secretbox.ts'
import { type ContractCase, expectThat } from './contract.ts'

/** The example of "Cryptography in NaCl" (Bernstein 2009, sections 6 to 10), which is also libsodium's own test. */
const EXAMPLE = {
  key: fromHex('1b27556473e985d462cd51197a9a46c76009549eac6474f206c4ee0844f68389'),
  nonce: fromHex('69696ee955b62b73cd62bda875fc73d68219e0036b7a0b37'),
  plaintext: fromHex(
    'be075fc53c81f2d5cf141316ebeb0c7b5228c52a4c62cbd44b66849b64244ffc' +
      'e5ecbaaf33bd751a1ac728d45e6c61296cdc3c01233561f41db66cce314adb31' +
      '0e3be8250c46f06dceea3a7fa1348057e2f6556ad6b1318a024a838f21af1fde' +
      '048977eb48f59ffd4924ca1c60902e52f0a089bc76897040e082f93776384864' +
      '5e0705',
  ),
  box: fromHex(
    'f3ffc7703f9400e52a7dfb4b3d3305d98e993b9f48681273c29650ba32fc76ce' +
      '48332ea7164d96a4476fb8c531a1186ac0dfc17c98dce87b4da7f011ec48c972' +
      '71d2c20f9b928fe2270d6fb863d51738b48eeee314a7cc8ab932164548e526ae' +
      '90224368517acfeabd6bb3732bc0e9da99832b61ca01b6de56244a9e88d5f9b3' +
      '7973f622a43d14a6599b1f654cb45a74e355a5',
  ),
}

/** Around the edges of Poly1305's and Salsa20's blocks, and one frame of an upload. */
const LENGTHS = [0, 1, 15, 16, 31, 32, 33, 63, 64, 65, 1000, 65_536]

const { key, nonce } = EXAMPLE

/** What every `Secretbox` must do. `secretbox` is the implementation under test. */
export function secretboxContract(secretbox: Secretbox): readonly ContractCase[] {
  return [
    {
      name: 'gives the box of the NaCl example, and opens it',
      run() {
        expectSame(seal(secretbox, EXAMPLE.plaintext, nonce, key), EXAMPLE.box, 'the box')
        expectSame(open(secretbox, EXAMPLE.box, nonce, key), EXAMPLE.plaintext, 'the plaintext')
      },
    },
    {
      name: 'equals the reference implementation at every length',
      run() {
        for (const length of LENGTHS) {
          const plaintext = message(length)
          const box = seal(naclSecretbox, plaintext, nonce, key)
          expectSame(seal(secretbox, plaintext, nonce, key), box, `the box of ${length} bytes`)
          expectSame(open(secretbox, box, nonce, key), plaintext, `the plaintext of ${length} bytes`)
        }
      },
    },
    {
      name: 'refuses a box with one bit changed anywhere, and one that is cut or longer',
      run() {
        const box = seal(secretbox, message(100), nonce, key)
        for (let at = 0; at < box.length; at++) {
          const changed = box.slice()
          changed[at] = (changed[at] as number) ^ (1 << (at % 8))
          expectRefused(open(secretbox, changed, nonce, key), `a box changed in byte ${at}`)
        }
        for (const length of [16, 17, box.length - 1]) {
          expectRefused(open(secretbox, box.slice(0, length), nonce, key), `the first ${length} bytes of a box`)
        }
        const longer = new Uint8Array(box.length + 1)
        longer.set(box)
        expectRefused(open(secretbox, longer, nonce, key), 'a box with a byte added')
      },
    },
    {
      name: 'refuses another key and another nonce',
      run() {
        const box = seal(secretbox, message(100), nonce, key)
        const other = (bytes: Uint8Array) => bytes.map((byte, i) => (i === 0 ? byte ^ 1 : byte))
        expectRefused(open(secretbox, box, nonce, other(key)), 'another key')
        expectRefused(open(secretbox, box, other(nonce), key), 'another nonce')
      },
    },
    {
      name: 'takes parts of larger arrays and leaves its arguments as they are',
      run() {
        const around = (bytes: Uint8Array) => {
          const buffer = new Uint8Array(bytes.length + 7).fill(0xaa)
          buffer.set(bytes, 3)
          return buffer.subarray(3, 3 + bytes.length)
        }
        const [plaintext, partKey, partNonce] = [around(message(100)), around(key), around(nonce)]
        const box = seal(secretbox, plaintext, partNonce, partKey)
        const part = around(box)
        const opened = open(secretbox, part, partNonce, partKey)
        expectSame(opened, message(100), 'what was sealed')
        for (const [view, before] of [
          [plaintext, message(100)],
          [part, box],
          [partKey, key],
          [partNonce, nonce],
        ] as const) {
          expectSame(new Uint8Array(view.buffer), new Uint8Array(around(before).buffer), 'an argument')
        }
      },
    },
  ]
}

function seal(secretbox: Secretbox, plaintext: Uint8Array, nonce: Uint8Array, key: Uint8Array): Uint8Array {
  return within(plaintext.length + SECRETBOX_TAG_BYTES, (box) => secretbox.sealInto(box, plaintext, nonce, key))
}

function open(secretbox: Secretbox, box: Uint8Array, nonce: Uint8Array, key: Uint8Array): Uint8Array | undefined {
  let fits = false
  const plaintext = within(box.length - SECRETBOX_TAG_BYTES, (part) => {
    fits = secretbox.openInto(part, box, nonce, key)
  })
  return fits ? plaintext : undefined
}

/** What `fill` puts into a part of a larger array, around which nothing may change. */
function within(length: number, fill: (part: Uint8Array) => void): Uint8Array {
  const around = new Uint8Array(length + 7).fill(0xaa)
  const part = around.subarray(3, 3 + length)
  fill(part)
  const changed = [...around.subarray(0, 3), ...around.subarray(3 + length)].some((byte) => byte !== 0xaa)
  expectThat(!changed, 'nothing but the result is written')
  return part
}

function message(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (i * 31 + (i >> 8)) & 0xff)
}

function expectSame(got: Uint8Array | undefined, expected: Uint8Array, what: string): void {
  expectThat(got !== undefined, `${what} is refused`)
  const at = expected.findIndex((byte, i) => byte !== got?.[i])
  expectThat(got?.length === expected.length && at === -1, `${what}: byte ${at} of ${expected.length} is wrong`)
}

function expectRefused(got: Uint8Array | undefined, what: string): void {
  expectThat(got === undefined, `${what} is opened`)
}
