import { hash } from '@fedweave/aggregator'

/**
 * A seed of its own for each purpose of a simulation: unsigned 32-bit, the same for the same parts on every machine. So no
 * choice depends on how many choices were made before it, and a run goes on after a crash without any generator's state.
 */
export function seedOf(purpose: string, ...parts: readonly (string | number)[]): number {
  return new DataView(hash('simulation', purpose, ...parts).buffer).getUint32(0)
}
