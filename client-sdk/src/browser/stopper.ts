import type { ClientEvents } from '../events.ts'

/**
 * Decides when a session is ended: at once where nothing is lost, after the round where its update has left and the others count
 * on this client's shares, and for fresh examples only between rounds.
 */
export class Stopper {
  #session = new AbortController()
  #inRound = false
  #released = false
  #closed = false
  #leaving = false
  #stale = false

  /** Of the session that runs. */
  get signal(): AbortSignal {
    return this.#session.signal
  }

  /** Whether the client was asked to leave for good. */
  get left(): boolean {
    return this.#leaving
  }

  /** Whether fresh examples wait for the round to end. */
  get stale(): boolean {
    return this.#stale
  }

  /** Before a run. */
  start(): void {
    this.#leaving = false
    this.next()
  }

  /** The signal of a session that begins. */
  next(): AbortSignal {
    this.#session = new AbortController()
    this.#inRound = false
    this.#released = false
    this.#stale = false
    this.#consider()
    return this.#session.signal
  }

  closed(closed: boolean): void {
    this.#closed = closed
    this.#consider()
  }

  leave(): void {
    this.#leaving = true
    this.#consider()
  }

  refresh(): void {
    this.#stale = true
    this.#consider()
  }

  /** Whatever it costs. */
  stop(): void {
    this.#session.abort()
  }

  observe(event: keyof ClientEvents): void {
    if (event === 'phase') this.#inRound = true
    if (event === 'uploaded') this.#released = true
    if (event === 'round') {
      this.#inRound = false
      this.#released = false
    }
    this.#consider()
  }

  #consider(): void {
    const wanted = this.#closed || this.#leaving
    if ((wanted && !this.#released) || (this.#stale && !this.#inRound)) this.#session.abort()
  }
}
