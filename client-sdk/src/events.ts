import type { ClientId, ErrorCode, Evaluation, FedweaveError } from '@fedweave/aggregator'
import type { TrainingProgress } from './training/trainer.ts'

export interface RoundEvent {
  readonly round: number
  readonly outcome: 'committed' | 'aborted'
  /** Hex hash of the new model; absent after an abort. */
  readonly modelHash?: string
  readonly survivors?: number
  /** On the server's held-out data, where the task has some. */
  readonly evaluation?: Evaluation
  /** Why, after an abort. */
  readonly code?: ErrorCode
  readonly message?: string
}

export interface ClientEvents {
  /** The phase that this client's round has entered. */
  phase: { readonly round: number; readonly phase: string }
  /** After each step of local training. */
  progress: TrainingProgress & { readonly round: number }
  /** The sealed update has been counted. */
  uploaded: { readonly round: number; readonly bytes: number }
  round: RoundEvent
  /** Something to tell the user that does not stop the client. */
  warning: { readonly message: string; readonly code?: ErrorCode }
  /** `client`: the name under which others see this one. */
  connection: { readonly state: 'connected'; readonly client: ClientId } | { readonly state: 'reconnecting' }
  /** What `run` rejects with. */
  error: FedweaveError
}

type Listener<T> = (event: T) => void

/** Typed listeners; works where Node's EventEmitter does not exist. */
export class Emitter<Events extends object> {
  readonly #listeners = new Map<keyof Events, Set<Listener<never>>>()

  /** Returns the function that takes the listener off again. */
  on<K extends keyof Events>(type: K, listener: Listener<Events[K]>): () => void {
    const listeners = this.#listeners.get(type) ?? new Set()
    this.#listeners.set(type, listeners)
    listeners.add(listener as Listener<never>)
    return () => void listeners.delete(listener as Listener<never>)
  }

  emit<K extends keyof Events>(type: K, event: Events[K]): void {
    for (const listener of this.#listeners.get(type) ?? []) (listener as Listener<Events[K]>)(event)
  }
}
