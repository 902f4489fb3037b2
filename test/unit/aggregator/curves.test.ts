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
