/** How many rounds may be under way at once, over all tasks: each holds a sum and its clients' messages. */
export class RoundSlots {
  readonly #most: number
  readonly #waiting = new Set<() => void>()
  #taken = 0

  constructor(most: number) {
    this.#most = most
  }

  /** Whether one is free; where none is, `retry` is called once when that may have changed. */
  free(retry: () => void): boolean {
    if (this.#taken < this.#most) return true
    this.#waiting.add(retry)
    return false
  }

  take(): void {
    this.#taken += 1
  }

  release(): void {
    this.#taken -= 1
    const waiting = [...this.#waiting]
    this.#waiting.clear()
    for (const retry of waiting) retry()
  }
}
