import type { Entropy } from '../core/entropy.ts'
import { FedweaveError } from '../core/errors.ts'
import { type Accumulator, expand, PRG_KEY_BYTES, type Prg } from '../crypto/prg.ts'
import { seal, sealedBytes } from '../crypto/seal.ts'
import { clipL2InPlace } from '../quantise/clip.ts'
import { Counters, type RoundCounters } from '../quantise/counters.ts'
import { TensorLayout } from '../quantise/layout.ts'
import type { Quantiser } from '../quantise/quantiser.ts'
import { largestTotalWeight, quantiserOf, type TaskConfig, weightOf } from '../task/config.ts'
import { attempt, type Fault, fault, isFault } from './fault.ts'
import { applyMasksInto, type Segments, type SignedMask } from './masks.ts'

/** What local training gives: `delta` holds local minus global weights, one value a parameter. */
export interface LocalUpdate {
  readonly delta: Float32Array
  readonly examples: number
  /** Mean over this round's training. */
  readonly loss: number
  readonly accuracy: number
}

const COUNTERS_BYTES = Counters.words * 4

/** How a task's updates are laid out: built once from its config by client and server alike. */
export class UpdateFormat {
  /** Number of parameters. */
  readonly size: number
  readonly #config: TaskConfig
  readonly #quantiser: Quantiser
  readonly #counters: Counters

  constructor(config: TaskConfig) {
    this.#config = config
    this.#quantiser = quantiserOf(config)
    this.#counters = new Counters(largestTotalWeight(config))
    this.size = new TensorLayout(config.model.tensors).size
  }

  /** Bytes of a masked update before it is sealed: the packed ring words, then the counters. */
  get plainBytes(): number {
    return this.#quantiser.ring.packedBytes(this.size) + COUNTERS_BYTES
  }

  get sealedBytes(): number {
    return sealedBytes(this.plainBytes)
  }

  /** Largest error of one parameter of a decoded mean. */
  get step(): number {
    return this.#quantiser.step
  }

  /**
   * Clips a copy of the delta, weighs and quantises it. Throws `FL_NON_FINITE` naming the parameter, `FL_UPDATE_SHAPE`
   * when the delta is not of this model.
   */
  quantise(local: LocalUpdate, prg: Prg, entropy: Entropy): Segments<Uint32Array> {
    const delta = local.delta.slice()
    const { clipped } = clipL2InPlace(delta, this.#config.secureAggregation.clipBound)
    const weight = weightOf(this.#config, local.examples)
    const random = expand(prg, entropy.bytes(PRG_KEY_BYTES), this.size)
    return {
      update: this.#quantiser.encode(delta, weight, random),
      counters: this.#counters.encode({ weight, loss: local.loss, accuracy: local.accuracy, clipped }),
    }
  }

  /** Masks and seals: the only form in which an update leaves its client. */
  maskAndSeal(plain: Segments<Uint32Array>, masks: readonly SignedMask[], sealKey: Uint8Array, prg: Prg): Uint8Array {
    const sum = this.sum(prg)
    sum.add(plain)
    return seal(sealKey, sum.masked(masks))
  }

  /** The segments of an opened update; a fault when padding bits are set. `plain` has `plainBytes` bytes. */
  parse(plain: Uint8Array): Segments<Uint32Array> | Fault {
    const packed = this.#quantiser.ring.packedBytes(this.size)
    const counters = new Uint32Array(plain.slice(packed).buffer)
    try {
      return { update: this.#quantiser.ring.unpack(plain.subarray(0, packed), this.size), counters }
    } catch {
      return fault('FL_UPDATE_SHAPE', 'the bits after the last parameter are not zero')
    }
  }

  /** An empty sum of updates. */
  sum(prg: Prg): UpdateSum {
    return new UpdateSum(this.#quantiser, this.#counters, this.#config.secureAggregation.weighting === 'uniform', this.size, prg)
  }
}

/** The weighted mean delta of a round, and what its counters say. */
export interface Aggregate {
  readonly pseudoGradient: Float32Array
  readonly weight: number
  /** Absent when no honest clients can have sent them: somebody masked garbage, and the figures say nothing. */
  readonly counters: RoundCounters | undefined
}

/** Adds updates, masked or not, and takes masks off; holds one vector of the model's size. */
export class UpdateSum {
  readonly #quantiser: Quantiser
  readonly #counters: Counters
  readonly #uniform: boolean
  readonly #segments: Segments<Accumulator>

  constructor(quantiser: Quantiser, counters: Counters, uniform: boolean, size: number, prg: Prg) {
    this.#quantiser = quantiser
    this.#uniform = uniform
    this.#counters = counters
    this.#segments = { update: prg.accumulator(size), counters: prg.accumulator(Counters.words) }
  }

  add(term: Segments<Uint32Array>): void {
    this.#segments.update.addWords(term.update)
    this.#segments.counters.addWords(term.counters)
  }

  /** The bytes of this sum under `masks`. */
  masked(masks: readonly SignedMask[]): Uint8Array {
    applyMasksInto(this.#segments, masks, 1)
    const packed = this.#quantiser.ring.pack(this.#segments.update.words)
    const out = new Uint8Array(packed.length + COUNTERS_BYTES)
    out.set(packed)
    out.set(new Uint8Array(this.#segments.counters.words.slice().buffer), packed.length)
    return out
  }

  unmask(masks: readonly SignedMask[]): void {
    applyMasksInto(this.#segments, masks, -1)
  }

  /**
   * The weighted mean over `clients` updates. Under uniform weighting the weight is their number, whatever the counters
   * say; else throws `FL_OUT_OF_RANGE` when the summed weight is impossible.
   */
  decode(clients: number): Aggregate {
    const counters = attempt(() => this.#counters.decode(this.#segments.counters.words, clients))
    if (isFault(counters) && !this.#uniform) throw new FedweaveError(counters.fault, counters.message)
    const weight = this.#uniform || isFault(counters) ? clients : counters.weight
    return {
      pseudoGradient: this.#quantiser.decode(this.#segments.update.words, weight),
      weight,
      counters: isFault(counters) ? undefined : counters,
    }
  }
}
