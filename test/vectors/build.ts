import { readFileSync } from 'node:fs'
import { counterVectors, quantiserVectors, ringVectors, shamirVectors, updateVectors } from './arithmetic.ts'
import { contextVectors, keyVectors, maskVectors } from './derivations.ts'
import { journalVectors, unmaskVectors } from './documents.ts'
import { identityVectors } from './identities.ts'
import { messageVectors } from './messages.ts'
import { primitiveVectors } from './primitives.ts'
import { rotationVectors } from './rotation.ts'
import { sparseVectors } from './sparse.ts'

/** What each file of `docs/protocol/vectors` holds, by its name. */
export const VECTORS = {
  primitives: primitiveVectors,
  identity: identityVectors,
  context: contextVectors,
  keys: keyVectors,
  masks: maskVectors,
  sparse: sparseVectors,
  ring: ringVectors,
  shamir: shamirVectors,
  rotation: rotationVectors,
  quantiser: quantiserVectors,
  counters: counterVectors,
  update: updateVectors,
  unmask: unmaskVectors,
  messages: messageVectors,
  journal: journalVectors,
} as const

export type VectorName = keyof typeof VECTORS

export const fileOf = (name: VectorName) => new URL(`../../docs/protocol/vectors/${name}.json`, import.meta.url)

/** A vector file as it was committed. */
export function committed<N extends VectorName>(name: N): ReturnType<(typeof VECTORS)[N]> {
  return JSON.parse(readFileSync(fileOf(name), 'utf8')) as ReturnType<(typeof VECTORS)[N]>
}
