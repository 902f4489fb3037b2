import { naclCurves } from '@fedweave/aggregator'
import { nodeCurves } from '@fedweave/aggregator/node'
import { expect, test, vi } from 'vitest'
import { onceForAll } from '../../../simulations/src/engine/once-for-all.ts'

const [a, b, c] = [1, 2, 3].map((n) => new Uint8Array(32).fill(n)) as [Uint8Array, Uint8Array, Uint8Array]
const publicOf = naclCurves.x25519Public

test('both ends of a pair get its key for the price of one, and every pair its own', () => {
  const x25519 = vi.fn(nodeCurves.x25519)
  const curves = onceForAll({ ...nodeCurves, x25519 })
  for (const [mine, theirs] of [
    [a, b],
    [b, a],
    [a, c],
    [c, a],
    [b, c],
    [c, b],
  ] as const)
    expect(curves.x25519(mine, publicOf(theirs))).toEqual(naclCurves.x25519(mine, publicOf(theirs)))
  expect(x25519).toHaveBeenCalledTimes(3)
})

test('a secret that was wiped and filled anew is another one', () => {
  const curves = onceForAll(nodeCurves)
  const secret = a.slice()
  const first = curves.x25519(secret, publicOf(c))
  secret.set(b)
  expect(curves.x25519Public(secret)).toEqual(publicOf(b))
  expect(curves.x25519(secret, publicOf(c))).toEqual(naclCurves.x25519(b, publicOf(c)))
  expect(first).toEqual(naclCurves.x25519(a, publicOf(c)))
})

test('a key of low order has no shared key, however often it is asked for', () => {
  const curves = onceForAll(nodeCurves)
  expect([1, 2].map(() => curves.x25519(a, new Uint8Array(32)))).toEqual([undefined, undefined])
})

test('a signature is checked once, and counts for its own key and message only', () => {
  const verify = vi.fn(nodeCurves.verify)
  const curves = onceForAll({ ...nodeCurves, verify })
  const key = nodeCurves.ed25519Public(a)
  const [message, other] = [Uint8Array.of(1), Uint8Array.of(2)]
  const signature = nodeCurves.sign(a, message)
  for (let i = 0; i < 3; i++) {
    expect(curves.verify(key, message, signature)).toBe(true)
    expect(curves.verify(key, other, signature)).toBe(false)
    expect(curves.verify(nodeCurves.ed25519Public(b), message, signature)).toBe(false)
  }
  expect(verify).toHaveBeenCalledTimes(3)
})
