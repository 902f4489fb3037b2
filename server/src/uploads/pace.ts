import { FedweaveError } from '@fedweave/aggregator'

export interface PaceLimits {
  /** Milliseconds from the first look at the body to its last byte. */
  readonly deadlineMs: number
  /** Bytes per second that must arrive, taken over every `rateWindowMs`. */
  readonly minimumBytesPerSecond: number
  readonly rateWindowMs: number
}

/** Watches one upload; calls `cut` once with `FL_UPLOAD_TIMEOUT` when it is too slow. `stop` must be called at its end. */
export class Pace {
  readonly #deadline: NodeJS.Timeout
  readonly #window: NodeJS.Timeout
  #arrived = 0
  #inWindow = 0
  #stopped = false

  constructor(limits: PaceLimits, cut: (error: FedweaveError) => void) {
    const { deadlineMs, minimumBytesPerSecond, rateWindowMs } = limits
    const stopWith = (message: string) => {
      this.stop()
      cut(new FedweaveError('FL_UPLOAD_TIMEOUT', message))
    }
    this.#deadline = setTimeout(
      this.#afterReading(() => stopWith(`${this.#arrived} bytes arrived within the ${deadlineMs} ms that an upload may take`)),
      deadlineMs,
    )
    const least = Math.ceil((minimumBytesPerSecond * rateWindowMs) / 1000)
    this.#window = setInterval(
      this.#afterReading(() => {
        if (this.#inWindow < least) stopWith(`${this.#inWindow} bytes arrived within ${rateWindowMs} ms, ${least} is the least`)
        this.#inWindow = 0
      }),
      rateWindowMs,
    )
  }

  count(bytes: number): void {
    this.#arrived += bytes
    this.#inWindow += bytes
  }

  stop(): void {
    this.#stopped = true
    clearTimeout(this.#deadline)
    clearInterval(this.#window)
  }

  /**
   * When our own event loop was busy, timers fire before the sockets are read; one turn later what had arrived
   * meanwhile has been counted, so that the server's delay is not taken for the client's.
   */
  #afterReading(check: () => void): () => void {
    return () =>
      setImmediate(() => {
        if (!this.#stopped) check()
      })
  }
}
