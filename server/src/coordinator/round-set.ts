import type { Aggregate, ClientId, CoordinatorState, ErrorCode } from '@fedweave/aggregator'
import { equalBytes, FedweaveError } from '@fedweave/aggregator'
import type { RoundDriver, RoundHooks, RoundOutcome } from './round-driver.ts'

/** What one cohort of a round summed to. */
export interface CohortSum {
  readonly state: Extract<CoordinatorState, { phase: 'completed' }>
  readonly aggregate: Aggregate
  /** Most bytes that one upload took on its socket. */
  readonly uploadBytes: number
}

export interface RoundSetOptions {
  /** Makes the driver of cohort `index`. */
  readonly open: (index: number, commit: RoundHooks['commit']) => RoundDriver
  /** Cohorts that run: of an interrupted round not all. */
  readonly running: number
  /** Cohorts that the round had from its beginning. */
  readonly cohorts: number
  readonly finish: (state: CohortSum['state'], work: Parameters<RoundHooks['commit']>[1]) => Promise<Aggregate>
  /** Commits the round once, from all cohorts that made it. */
  readonly commit: (sums: readonly CohortSum[]) => Promise<void>
  /** A cohort that did not make it, as soon as that is known. */
  readonly onAbort: (driver: RoundDriver, code: ErrorCode, message: string) => void
}

/**
 * The cohorts of one round, each a secure sum of its own over the same base model; the round is committed once, when the
 * last of them is done. More than half of them must make it. With one cohort this is just its driver.
 */
export class RoundSet {
  readonly drivers: readonly RoundDriver[]
  /** How the round as a whole ended. */
  readonly done: Promise<RoundOutcome>
  readonly #options: RoundSetOptions
  readonly #sums: CohortSum[] = []
  #running: number
  #decided = false
  #committed: (value: undefined) => void = () => undefined
  #failed: (error: unknown) => void = () => undefined
  readonly #commit: Promise<undefined>

  constructor(options: RoundSetOptions) {
    this.#options = options
    this.#running = options.running
    this.#commit = new Promise((resolve, reject) => {
      this.#committed = resolve
      this.#failed = reject
    })
    this.#commit.catch(() => undefined) // each cohort that waits for it handles it
    this.drivers = Array.from({ length: options.running }, (_, index) =>
      options.open(index, (state, work) => this.#summed(state, work)),
    )
    const outcomes = this.drivers.map(async (driver) => {
      const outcome = await driver.done
      if (outcome.outcome === 'aborted') {
        options.onAbort(driver, outcome.code, outcome.message)
        this.#lost()
      }
      return outcome
    })
    this.done = Promise.all(outcomes).then(
      (all) => all.find(({ outcome }) => outcome === 'committed') ?? (all[0] as RoundOutcome),
    )
  }

  get status(): { readonly number: number; readonly phase: CoordinatorState['phase']; readonly clients: number } {
    const [first] = this.drivers as readonly [RoundDriver]
    const live = this.drivers.find(({ phase }) => phase !== 'aborted') ?? first
    return { number: first.round, phase: live.phase, clients: this.drivers.reduce((sum, { members }) => sum + members.length, 0) }
  }

  /** The cohort that this client is in. */
  driverOf(id: ClientId): RoundDriver | undefined {
    return this.drivers.find(({ members }) => members.includes(id))
  }

  /** The cohort in which an upload of this client can still count; undefined when it is over. Throws `FL_NOT_IN_ROSTER`. */
  driverOfUpload(id: ClientId, context: Uint8Array): RoundDriver | undefined {
    if (!this.isRunning(context)) return undefined
    const driver = this.driverOf(id)
    if (driver?.context !== undefined && equalBytes(driver.context, context)) return driver
    throw new FedweaveError('FL_NOT_IN_ROSTER', 'this client is not in that cohort of the running round')
  }

  /** Its clients may have begun to release what the sum takes: to give it up now would lose their updates. */
  get releasing(): boolean {
    return this.drivers.some(({ phase }) => ['confirming', 'unmasking', 'completed'].includes(phase))
  }

  isRunning(context: Uint8Array): boolean {
    return this.drivers.some(
      (driver) => driver.phase !== 'aborted' && driver.context !== undefined && equalBytes(driver.context, context),
    )
  }

  async stop(code: ErrorCode, message: string): Promise<void> {
    await Promise.all(this.drivers.map((driver) => driver.stop(code, message)))
  }

  async #summed(state: CohortSum['state'], work: Parameters<RoundHooks['commit']>[1]): Promise<void> {
    const aggregate = await this.#options.finish(state, work)
    this.#sums.push({ state, aggregate, uploadBytes: work.uploadBytes })
    this.#commitIfLast()
    await this.#commit
  }

  #lost(): void {
    this.#running -= 1
    this.#commitIfLast()
  }

  #commitIfLast(): void {
    if (this.#decided || this.#sums.length === 0 || this.#sums.length < this.#running) return
    this.#decided = true
    const { cohorts, commit } = this.#options
    if (2 * this.#sums.length <= cohorts) {
      this.#failed(
        new FedweaveError(
          'FL_TOO_FEW_SURVIVORS',
          `${this.#sums.length} of ${cohorts} cohorts made it, where more than half are needed`,
        ),
      )
      return
    }
    commit(this.#sums).then(() => this.#committed(undefined), this.#failed)
  }
}
