/** A bucket holds what one key may do at once: so many seconds' worth. */
const BURST_SECONDS = 10
/** Most keys in one generation. */
const GENERATION = 50_000

interface Bucket {
  readonly level: number
  readonly at: number
}

/**
 * Token buckets by key (an address, a client): each fills at `perSecond` up to ten seconds' worth. Two generations of keys are
 * remembered: when the young one is full it becomes the old one, whose quiet keys are forgotten all at once. (To remove the
 * oldest key of one map, one by one, takes time in proportion to those removed before.)
 */
export class Buckets {
  readonly #perSecond: number
  #young = new Map<string, Bucket>()
  #old = new Map<string, Bucket>()

  constructor(perSecond: number) {
    this.#perSecond = perSecond
  }

  /** Takes one; whether there was one. `now` in milliseconds, of any clock that does not run backwards. */
  take(key: string, now: number): boolean {
    const full = this.#perSecond * BURST_SECONDS
    const kept = this.#young.get(key) ?? this.#old.get(key)
    const level = kept === undefined ? full : Math.min(full, kept.level + ((now - kept.at) / 1000) * this.#perSecond)
    this.#young.set(key, { level: level < 1 ? level : level - 1, at: now })
    if (this.#young.size >= GENERATION) {
      this.#old = this.#young
      this.#young = new Map()
    }
    return level >= 1
  }

  /** Keys that are remembered, some of them twice. */
  get size(): number {
    return this.#young.size + this.#old.size
  }
}
