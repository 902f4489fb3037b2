import { FedweaveError } from '@fedweave/aggregator'

/** The smallest module with a SIMD instruction: one function that returns `i32x4.splat(0)`'s first lane. */
const SIMD = Uint8Array.of(
  ...[0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 127, 3, 2, 1, 0],
  ...[10, 11, 1, 9, 0, 65, 0, 253, 17, 253, 27, 0, 11],
)

/** What training needs of a browser; every one since 2023 has it, unless a lockdown mode or a policy takes it away. */
const NEEDS: readonly (readonly [what: string, has: () => boolean])[] = [
  ['Web Workers', () => typeof Worker === 'function'],
  ['a source of random bytes', () => typeof globalThis.crypto?.getRandomValues === 'function'],
  ['WebAssembly', () => typeof WebAssembly === 'object'],
  ['WebAssembly SIMD', () => WebAssembly.validate(SIMD)],
]

/** Throws `FL_BROWSER_UNSUPPORTED` naming what this browser lacks. */
export function checkBrowser(): void {
  const missing = NEEDS.find(([, has]) => !has())
  if (missing !== undefined) throw new FedweaveError('FL_BROWSER_UNSUPPORTED', `this browser has no ${missing[0]}`)
}
