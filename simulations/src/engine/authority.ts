import {
  type ClientEnv,
  type CoordinatorEnv,
  ENTRY_VERSION,
  hash,
  type JournalBody,
  openConfig,
  openEntry,
  signConfig,
  signEntry,
  toHex,
} from '@fedweave/aggregator'
import { nodeCurves } from '@fedweave/aggregator/node'
import { seededEntropy } from '@fedweave/aggregator/testing'
import type { SimulatedTask } from './task.ts'

/** What both sides' machines know for a whole run. */
export interface Environments {
  readonly server: CoordinatorEnv
  readonly client: Omit<ClientEnv, 'entropy' | 'id' | 'identitySeed' | 'channelSecret' | 'verified'>
}

/** Keys of the simulated operator and of whoever certifies clients: seeded, hence for simulations only. */
export class Authority {
  readonly curves = nodeCurves
  readonly enrolmentSeed: Uint8Array
  readonly enrolmentKey: Uint8Array
  readonly #operatorSeed: Uint8Array
  readonly #operatorKey: Uint8Array
  readonly #coordinatorSecret: Uint8Array

  constructor(seed: string) {
    const entropy = seededEntropy(`${seed}/authority`)
    this.#operatorSeed = entropy.bytes(32)
    this.#operatorKey = this.curves.ed25519Public(this.#operatorSeed)
    this.enrolmentSeed = entropy.bytes(32)
    this.#coordinatorSecret = entropy.bytes(32)
    this.enrolmentKey = this.curves.ed25519Public(this.enrolmentSeed)
  }

  get enrolmentHex(): string {
    return toHex(this.enrolmentKey)
  }

  environments({ config }: SimulatedTask): Environments {
    const { curves, enrolmentKey } = this
    const operatorKey = this.#operatorKey
    const coordinatorKey = curves.x25519Public(this.#coordinatorSecret)
    const { configHash } = openConfig(curves, operatorKey, signConfig(curves, this.#operatorSeed, config))
    return {
      server: { curves, config, configHash, coordinatorSecret: this.#coordinatorSecret, coordinatorKey },
      client: { curves, config, configHash, operatorKey, coordinatorKey, enrolmentKey },
    }
  }

  sign(body: JournalBody): Uint8Array {
    return signEntry(this.curves, this.#operatorSeed, body)
  }

  /** The journal's first entry: the initial model, and no round yet. */
  genesis({ configHash, coordinatorKey, config }: CoordinatorEnv, model: Uint8Array): JournalBody {
    const zero = new Uint8Array(32)
    return {
      version: ENTRY_VERSION,
      index: 0,
      task: config.taskId,
      round: 0,
      at: 0,
      previous: zero,
      configHash,
      coordinatorKey,
      modelBefore: zero,
      modelAfter: model,
      strategyState: hash('fw1/strategy-state', config.strategy.name),
      aggregates: [],
      cohorts: [],
      weight: 0,
      training: undefined,
      uploadBytes: 0,
      evaluation: undefined,
      privacy: undefined,
    }
  }

  open(signed: Uint8Array) {
    return openEntry(this.curves, this.#operatorKey, signed)
  }
}
