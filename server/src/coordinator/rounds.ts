import { type CoordinatorEnv, type ErrorCode, FedweaveError, type Prg, toHex, UpdateFormat } from '@fedweave/aggregator'
import type { ComputePool } from '../compute/compute-pool.ts'
import type { Evaluator } from '../evaluation/evaluator.ts'
import type { RoundSlots } from '../limits/round-slots.ts'
import { commitRound } from './commit.ts'
import { committedEvents, type TaskEvent } from './events.ts'
import type { TaskHistory } from './history.ts'
import type { Member, Members } from './members.ts'
import { type OpenRoundOptions, openRound } from './open-round.ts'
import type { Outbox } from './outbox.ts'
import { Recruiting } from './recruiting.ts'
import { ascii, refusal } from './refusal.ts'
import type { RoundDriver } from './round-driver.ts'
import type { CohortSum, RoundSet } from './round-set.ts'

export interface RoundsOptions {
  readonly env: CoordinatorEnv
  readonly history: TaskHistory
  readonly members: Members
  readonly outbox: Outbox
  readonly evaluator: Evaluator | undefined
  readonly prg: Prg
  readonly pool: ComputePool
  readonly slots: RoundSlots
  /** Whether the task wants a round now. */
  readonly wanted: () => boolean
  /** Whether the task wants none any more. */
  readonly over: () => boolean
  readonly event: (event: TaskEvent) => void
}

/** After an aborted round: clients can complete their abort certificates meanwhile. */
const PAUSE_MS = 1000

/** The rounds of one task, one after the other: when the next one opens, with whom, and what it commits. */
export class Rounds {
  readonly format: UpdateFormat
  readonly #options: RoundsOptions
  readonly #recruiting: Recruiting
  #running: RoundSet | undefined
  #opening = false

  constructor(options: RoundsOptions) {
    this.#options = options
    const { config } = options.history
    this.format = new UpdateFormat(config)
    this.#recruiting = new Recruiting({
      config,
      candidates: () => this.#candidates(),
      open: (candidates, cohorts) => void this.#open(candidates, cohorts),
      tooFew: (message) => {
        options.event({ type: 'warning', message })
        options.outbox.sendAll(refusal(new FedweaveError('FL_TOO_FEW_CLIENTS', message), true))
      },
    })
  }

  get running(): RoundSet | undefined {
    return this.#running
  }

  /** Call whenever a client came, or the task wants rounds again: the next round may open. */
  consider(): void {
    this.#recruiting.consider()
  }

  /** Recruits nobody until the next `consider`. */
  rest(): void {
    this.#recruiting.stop()
  }

  /** Goes on with the round, if there is one, whose clients an earlier run of the server has asked for shares. */
  async recover(): Promise<void> {
    const interrupted = await this.#options.history.interruptedRound()
    if (interrupted === undefined) return
    this.#options.slots.take()
    void this.#run(interrupted)
  }

  /** Who could take part now; nobody while a round runs or is being opened, or after the last. */
  #candidates(): readonly Member[] | undefined {
    const { wanted, slots, history, members } = this.#options
    if (!wanted() || this.#running !== undefined || this.#opening) return undefined
    if (!slots.free(() => this.consider())) return undefined
    const base = toHex(history.head.modelAfter)
    return members.connected.filter(({ spentOn }) => spentOn !== base)
  }

  async #open(candidates: readonly Member[], cohorts: number): Promise<void> {
    const { wanted, slots, history, event } = this.#options
    this.#opening = true
    slots.take()
    const round = await history.nextAttempt().catch((error: Error) => event({ type: 'warning', message: error.message }))
    this.#opening = false
    if (round !== undefined && wanted()) return this.#run({ round, candidates, cohorts })
    slots.release()
    this.#considerLater() // after a disk that was full, say
  }

  #considerLater(): void {
    setTimeout(() => this.consider(), PAUSE_MS).unref()
  }

  async #run(begin: OpenRoundOptions['begin']): Promise<void> {
    const { env, history, prg, pool, slots, outbox, event, over } = this.#options
    const hooks: OpenRoundOptions['hooks'] = { send: (to, message) => outbox.sendTo([to], message), event }
    const set = openRound({
      ...{ begin, env, history, format: this.format, prg, pool, hooks },
      commit: (sums) => this.#commit(sums),
      onAbort: (driver, code, message) => this.#aborted(driver, code, message),
    })
    this.#running = set
    const { outcome } = await set.done
    await history.forgetRound().catch(() => undefined)
    this.#running = undefined
    slots.release()
    event({ type: 'round-ended', round: begin.round, outcome })
    if (outcome === 'aborted') outbox.deliverAborts()
    if (over()) {
      outbox.finish(history.head.round)
      event({ type: 'finished', rounds: history.rounds })
    } else if (outcome === 'committed') this.consider()
    else this.#considerLater()
  }

  #aborted(driver: RoundDriver, code: ErrorCode, reason: string): void {
    const { outbox, members, event } = this.#options
    outbox.sendTo(driver.members, { type: 'abort', round: driver.round, code, message: ascii(reason) })
    members.forgetGone(driver.members)
    event({ type: 'aborted', round: driver.round, code, message: reason })
    outbox.deliverAborts()
  }

  async #commit(sums: readonly CohortSum[]): Promise<void> {
    const { history, evaluator, outbox, members, event } = this.#options
    const entry = await commitRound(history, evaluator, sums, (message) => event({ type: 'warning', message }))
    outbox.publish(sums, entry)
    for (const { state } of sums) members.tookPart(state.facts.ids, state.survivors)
    for (const each of committedEvents(history.head, history.config.model)) event(each)
  }
}
