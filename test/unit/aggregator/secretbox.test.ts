import { describe, expect, test } from 'vitest'
import { openSeal, seal, sealedBytes } from '../../../aggregator/src/crypto/seal.ts'
import { naclSecretbox, nobleSecretbox, type Secretbox } from '../../../aggregator/src/crypto/secretbox.ts'
import { fastestSecretbox, sodiumNativeSecretbox, sodiumWasmSecretbox } from '../../../aggregator/src/node/secretbox.ts'
import { secretboxContract } from '../../../aggregator/src/testing/secretbox-contract.ts'

const [native, wasm] = [await sodiumNativeSecretbox(), await sodiumWasmSecretbox()]
const all = [naclSecretbox, nobleSecretbox, ...[native, wasm].filter((box) => box !== undefined)]

describe.each(all.map((secretbox) => [secretbox.name, secretbox] as const))('%s as a Secretbox', (_, secretbox) => {
  for (const { name, run } of secretboxContract(secretbox)) test(name, run)
})

test('the fastest that is installed is chosen', async () => {
  expect((await fastestSecretbox()).name).toBe((native ?? wasm ?? nobleSecretbox).name)
})

test.each<[string, Partial<Secretbox>]>([
  ['opens whatever comes', { openInto: takeAnything }],
  ['changes the box it opens', { openInto: openAndWipe }],
  ['drops the last byte', { sealInto: (box, ...rest) => naclSecretbox.sealInto(box.subarray(0, -1), ...dropLast(rest)) }],
  [
    'ignores the nonce',
    { sealInto: (box, plaintext, _, key) => naclSecretbox.sealInto(box, plaintext, new Uint8Array(24), key) },
  ],
  ['writes around the box', { sealInto: (box, ...rest) => naclSecretbox.sealInto(wiped(box), ...rest) }],
])('the contract rejects a Secretbox that %s', (_, spoilt) => {
  const failed = secretboxContract({ ...naclSecretbox, ...spoilt }).filter(({ run }) => {
    try {
      run()
      return false
    } catch {
      return true
    }
  })
  expect(failed).not.toEqual([])
})

function takeAnything(plaintext: Uint8Array, box: Uint8Array): boolean {
  plaintext.set(box.subarray(16))
  return true
}

function openAndWipe(plaintext: Uint8Array, box: Uint8Array, nonce: Uint8Array, key: Uint8Array): boolean {
  const fits = naclSecretbox.openInto(plaintext, box, nonce, key)
  box.fill(0)
  return fits
}

function dropLast([plaintext, nonce, key]: [Uint8Array, Uint8Array, Uint8Array]): [Uint8Array, Uint8Array, Uint8Array] {
  return [plaintext.subarray(0, -1), nonce, key]
}

/** With all that lies around it. */
function wiped(part: Uint8Array): Uint8Array {
  new Uint8Array(part.buffer).fill(0)
  return part
}

describe('the seal of an upload', () => {
  const key = Uint8Array.from({ length: 32 }, (_, i) => i)
  const plaintext = Uint8Array.from({ length: 150_001 }, (_, i) => (i * 7 + (i >> 9)) & 0xff)
  const sealed = seal(key, plaintext)

  test.each(all.map((secretbox) => [secretbox.name, secretbox] as const))(
    'has one form, made or opened by %s',
    (_, secretbox) => {
      expect(Buffer.compare(seal(key, plaintext, secretbox), sealed)).toBe(0)
      expect(Buffer.compare(openSeal(key, sealed, plaintext.length, secretbox) as Uint8Array, plaintext)).toBe(0)
    },
  )

  test('is made, and opened, in memory that is given', () => {
    const box = new Uint8Array(sealed.length).fill(1)
    const opened = new Uint8Array(plaintext.length).fill(1)
    expect(seal(key, plaintext, naclSecretbox, box)).toBe(box)
    expect(Buffer.compare(box, sealed)).toBe(0)
    expect(openSeal(key, box, plaintext.length, naclSecretbox, opened)).toBe(opened)
    expect(Buffer.compare(opened, plaintext)).toBe(0)
  })

  test.each(all.map((secretbox) => [secretbox.name, secretbox] as const))(
    'that was tampered with is refused by %s',
    (_, secretbox) => {
      const refused = (bytes: Uint8Array, length = plaintext.length) => openSeal(key, bytes, length, secretbox) === undefined
      const frame = 65_536 + 16
      const swapped = sealed.slice()
      swapped.set(sealed.subarray(frame, 2 * frame), 0)
      swapped.set(sealed.subarray(0, frame), frame)
      expect(refused(swapped)).toBe(true)
      for (const at of [0, 16, frame - 1, frame, sealed.length - 1]) {
        expect(refused(sealed.map((byte, i) => (i === at ? byte ^ 0x80 : byte)))).toBe(true)
      }
      // The first two frames alone: each is whole, but the second does not say that it is the last.
      expect(refused(sealed.slice(0, 2 * frame), 2 * 65_536)).toBe(true)
      expect(refused(sealed.slice(0, sealedBytes(100_000)), 100_000)).toBe(true)
      expect(refused(sealed, plaintext.length - 1)).toBe(true)
    },
  )
})
