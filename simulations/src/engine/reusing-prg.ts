import type { Accumulator, Prg } from '@fedweave/aggregator'

/**
 * A mask generator whose accumulators are used again and again: one that masks a client after the other would make the collector walk
 * the whole heap for each of them.
 */
export class ReusingPrg implements Prg {
  readonly name: string
  readonly #prg: Prg
  readonly #free: Accumulator[] = []
  readonly #lent: Accumulator[] = []

  constructor(prg: Prg) {
    this.name = prg.name
    this.#prg = prg
  }

  accumulator(length: number): Accumulator {
    const at = this.#free.findIndex(({ words }) => words.length === length)
    const [found = this.#prg.accumulator(length)] = at === -1 ? [] : this.#free.splice(at, 1)
    found.words.fill(0)
    this.#lent.push(found)
    return found
  }

  /** Whatever was lent is of no more use to its borrower. */
  takeBack(): void {
    this.#free.push(...this.#lent.splice(0))
  }
}
