import { type Curves, toHex } from '@fedweave/aggregator'

/**
 * All clients of a cohort check the same signatures, and the two ends of a pair agree on the same key. In a simulation they
 * share a processor, so each of these is computed once and the answer remembered, or a cohort of a thousand would spend minutes on
 * it. For one round: what it remembers, secrets too, stays in memory as long as it does.
 */
export function onceForAll(curves: Curves): Curves {
  const x25519Public = remembered((secret: Uint8Array) => toHex(secret), curves.x25519Public)
  const pair = (secret: Uint8Array, peer: Uint8Array) => [toHex(x25519Public(secret)), toHex(peer)].sort().join()
  return {
    ...curves,
    x25519Public,
    x25519: remembered(pair, curves.x25519),
    verify: remembered((...parts) => parts.map(toHex).join(), curves.verify),
  }
}

function remembered<A extends unknown[], T>(nameOf: (...args: A) => string, compute: (...args: A) => T): (...args: A) => T {
  const known = new Map<string, { readonly answer: T }>()
  return (...args) => {
    const name = nameOf(...args)
    const found = known.get(name) ?? { answer: compute(...args) }
    known.set(name, found)
    return found.answer
  }
}
