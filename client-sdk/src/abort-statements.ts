import { type ClientMessage, equalBytes } from '@fedweave/aggregator'

type Statement = Extract<ClientMessage, { type: 'aborted' }>

/** As many as a server keeps of one client. */
const KEPT = 8

/**
 * What one client stated of aborted rounds on one base model. Somebody who was not there may need it to get back to that base,
 * and a server that was killed has forgotten it: so it is said again on every new connection, until another model is the base.
 */
export class AbortStatements {
  #base: Uint8Array | undefined
  #made: readonly Statement[] = []

  /** The oldest first. */
  get made(): readonly Statement[] {
    return this.#made
  }

  /** A round on that model begins. */
  follow(modelHash: Uint8Array): void {
    if (this.#base !== undefined && equalBytes(this.#base, modelHash)) return
    this.#base = modelHash
    this.#made = []
  }

  add(statement: Statement): void {
    this.#made = [...this.#made, statement].slice(-KEPT)
  }
}
