import { type Curves, toHex } from '@fedweave/aggregator'

/**
 * All clients of a cohort check the same signatures. In a simulation they share a processor, so each signature is checked
 * once and the answer remembered, or a cohort of a thousand would spend minutes on it.
 */
export function verifyOnce(curves: Curves): Curves {
  const known = new Map<string, boolean>()
  return {
    ...curves,
    verify(key, message, signature) {
      const name = `${toHex(signature)}${toHex(key)}${toHex(message)}`
      const valid = known.get(name) ?? curves.verify(key, message, signature)
      known.set(name, valid)
      return valid
    },
  }
}
