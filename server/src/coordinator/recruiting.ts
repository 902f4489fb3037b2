import { fewestClients, largestRoster, type TaskConfig } from '@fedweave/aggregator'
import type { Member } from './members.ts'

export interface RecruitingOptions {
  readonly config: TaskConfig
  /** Clients that could take part in a round now; `undefined` while none may open. */
  readonly candidates: () => readonly Member[] | undefined
  readonly open: (candidates: readonly Member[], cohorts: number) => void
  /** The time is over, and fewer came than the minimum. */
  readonly tooFew: (message: string) => void
}

/** When a round opens: at once when the target is met, and with the minimum when the time to wait for more is over. */
export class Recruiting {
  readonly #options: RecruitingOptions
  #timer: NodeJS.Timeout | undefined

  constructor(options: RecruitingOptions) {
    this.#options = options
  }

  /** Call whenever a client came, or a round ended. */
  consider(timeIsOver = false): void {
    const { config, open, tooFew } = this.#options
    if (timeIsOver) this.stop() // also where none may open: a later round waits anew
    const candidates = this.#options.candidates()
    if (candidates === undefined) return
    const cohorts = config.cohort.groups ?? 1
    const fewest = fewestClients(config)
    if (candidates.length >= cohorts * largestRoster(config) || (timeIsOver && candidates.length >= fewest)) {
      this.stop()
      open(candidates, cohorts)
    } else if (timeIsOver) {
      tooFew(`${candidates.length} of the ${fewest} clients that task ${config.taskId} needs came before the deadline`)
    } else {
      this.#timer ??= setTimeout(() => this.consider(true), config.deadlines.recruitingMs)
    }
  }

  stop(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }
}
