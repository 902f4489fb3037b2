import { naclCurves } from '@fedweave/aggregator'
import { nodeCurves } from '@fedweave/aggregator/node'
import { seededEntropy } from '@fedweave/aggregator/testing'
import { expect, test } from 'vitest'

const entropy = seededEntropy('curves')
const [a, b, message] = [entropy.bytes(32), entropy.bytes(32), entropy.bytes(100)]

test('OpenSSL and tweetnacl give the same keys, secrets and signatures', () => {
  expect(nodeCurves.x25519Public(a)).toEqual(naclCurves.x25519Public(a))
  expect(nodeCurves.ed25519Public(a)).toEqual(naclCurves.ed25519Public(a))
  const peer = naclCurves.x25519Public(b)
  expect(nodeCurves.x25519(a, peer)).toEqual(naclCurves.x25519(a, peer))
  expect(nodeCurves.sign(a, message)).toEqual(naclCurves.sign(a, message))
})

test('a secret array that is wiped and filled anew stands for its new bytes', () => {
  const secret = a.slice()
  const peer = naclCurves.x25519Public(b)
  expect(nodeCurves.x25519(secret, peer)).toEqual(naclCurves.x25519(a, peer))
  secret.fill(0)
  expect(nodeCurves.x25519(secret, peer)).toEqual(naclCurves.x25519(new Uint8Array(32), peer))
  secret.set(message.subarray(0, 32))
  expect(nodeCurves.x25519(secret, peer)).toEqual(naclCurves.x25519(message.slice(0, 32), peer))
  expect(nodeCurves.sign(secret, message)).toEqual(naclCurves.sign(message.slice(0, 32), message))
  expect(nodeCurves.x25519Public(secret)).toEqual(naclCurves.x25519Public(message.slice(0, 32)))
})

test.each([0, 31, 33])('a key of %i bytes is refused', (length) => {
  const key = new Uint8Array(length)
  expect(() => nodeCurves.x25519Public(key)).toThrow(RangeError)
  expect(() => nodeCurves.x25519(a, key)).toThrow(RangeError)
  expect(nodeCurves.verify(key, message, nodeCurves.sign(a, message))).toBe(false)
})

for (const curves of [naclCurves, nodeCurves]) {
  test(`${curves.name}: a low-order public key gives no shared secret`, () => {
    expect(curves.x25519(a, new Uint8Array(32))).toBeUndefined()
    expect(curves.x25519(a, new Uint8Array(32).fill(1, 0, 1))).toBeUndefined()
  })

  test(`${curves.name}: a signature holds for its key and message only`, () => {
    const key = curves.ed25519Public(a)
    const signature = curves.sign(a, message)
    expect(curves.verify(key, message, signature)).toBe(true)
    expect(curves.verify(curves.ed25519Public(b), message, signature)).toBe(false)
    expect(curves.verify(key, message.subarray(1), signature)).toBe(false)
    expect(curves.verify(key, message, signature.subarray(1))).toBe(false)
  })
}
