import { type EntryLink, toHex } from '@fedweave/aggregator'

type Named = Pick<EntryLink, 'index' | 'modelAfter' | 'strategyState' | 'aggregates'>

/** Which checkpoints stay: the initial model's, and those of the last `most` rounds. */
export class KeptCheckpoints {
  readonly #most: number
  #initial: Named | undefined
  #last: Named[] = []

  constructor(most: number) {
    this.#most = most
  }

  committed({ index, modelAfter, strategyState, aggregates }: Named): void {
    const named = { index, modelAfter, strategyState, aggregates }
    if (index === 0) this.#initial = named
    else this.#last.push(named)
    if (this.#last.length > this.#most) this.#last.shift()
  }

  /** In hex: of the models, of what they were made of, and of what a strategy keeps from round to round. */
  get names(): ReadonlySet<string> {
    const all = this.#initial === undefined ? this.#last : [this.#initial, ...this.#last]
    return new Set(
      all.flatMap(({ modelAfter, strategyState, aggregates }) => [modelAfter, strategyState, ...aggregates].map(toHex)),
    )
  }
}
