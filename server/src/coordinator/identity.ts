import { randomBytes } from 'node:crypto'
import { type Curves, coordinatorStatement } from '@fedweave/aggregator'

/** The server's keys: the operator's, for good, and the coordinator's, for one run. */
export interface ServerKeys {
  readonly curves: Curves
  readonly operatorSeed: Uint8Array
  readonly operatorKey: Uint8Array
  readonly coordinatorSecret: Uint8Array
  readonly coordinatorKey: Uint8Array
  /** The operator's signature over the coordinator key. */
  readonly coordinatorSignature: Uint8Array
}

export function serverKeys(
  curves: Curves,
  operatorSeed: Uint8Array,
  coordinatorSecret: Uint8Array = new Uint8Array(randomBytes(32)),
): ServerKeys {
  const coordinatorKey = curves.x25519Public(coordinatorSecret)
  return {
    curves,
    operatorSeed,
    operatorKey: curves.ed25519Public(operatorSeed),
    coordinatorSecret,
    coordinatorKey,
    coordinatorSignature: curves.sign(operatorSeed, coordinatorStatement(coordinatorKey)),
  }
}
