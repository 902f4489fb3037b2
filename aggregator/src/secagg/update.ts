import type { Entropy } from '../core/entropy.ts'
import { FedweaveError } from '../core/errors.ts'
import { hash } from '../crypto/kdf.ts'
import { type Accumulator, PRG_KEY_BYTES, type Prg } from '../crypto/prg.ts'
import { seal, sealedBytes } from '../crypto/seal.ts'
import type { Secretbox } from '../crypto/secretbox.ts'
import { clipL2 } from '../quantise/clip.ts'
import { type ClientCounters, Counters, type RoundCounters } from '../quantise/counters.ts'
import { TensorLayout } from '../quantise/layout.ts'
import type { Quantiser } from '../quantise/quantiser.ts'
import { Rotation } from '../quantise/rotation.ts'
import { largestTotalWeight, quantiserOf, type TaskConfig, weightOf } from '../task/config.ts'
import { attempt, type Fault, fault, isFault } from './fault.ts'
import { applyMasksInto, type Segments, type SignedMask } from './masks.ts'

/** What local training gives: `delta` holds local minus global weights, one value a parameter. */
export interface LocalUpdate {
  readonly delta: Float32Array
  readonly examples: number
  /** Mean over this round's training. */
  readonly loss: number
  /** Of a classifier. */
  readonly accuracy?: number
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

  /**
   * One quantum: the largest error of one parameter of a decoded mean. With rotation a parameter gathers the errors of
   * its tile: at equal weights their deviation is at most half a quantum over the square root of the number of clients.
   */
  get step(): number {
    return this.#quantiser.step
  }

  /**
   * Clips the delta, rotates it if the task says so, weighs and quantises it; the delta stays as it is. `context` is the round's.
   * Throws `FL_NON_FINITE` naming the parameter, `FL_UPDATE_SHAPE` when the delta is not of this model.
   */
  quantise(local: LocalUpdate, context: Uint8Array, prg: Prg, entropy: Entropy): UpdateSum {
    const { vector, clipped } = clipL2(local.delta, this.#config.secureAggregation.clipBound)
    const rotation = this.#rotation(context, prg)
    const own = rotation !== undefined && !clipped ? vector.slice() : vector
    rotation?.forwardInPlace(own)
    const weight = weightOf(this.#config, local.examples)
    const one = this.sum(prg)
    const counters = { weight, loss: local.loss, accuracy: local.accuracy ?? 0, clipped }
    one.begin(own, counters, entropy.bytes(PRG_KEY_BYTES))
    return one
  }

  /** Masks and seals, in the memory of `plain`: the only form in which an update leaves its client. */
  maskAndSeal(plain: UpdateSum, masks: readonly SignedMask[], sealKey: Uint8Array, secretbox?: Secretbox): Uint8Array {
    return seal(sealKey, plain.masked(masks), secretbox)
  }

  /** The segments of an opened update; a fault when padding bits are set. `plain` has `plainBytes` bytes. */
  parse(plain: Uint8Array): Segments<Uint32Array<ArrayBuffer>> | Fault {
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
    const uniform = this.#config.secureAggregation.weighting === 'uniform'
    const rotation = (context: Uint8Array) => this.#rotation(context, prg)
    return new UpdateSum(this.#quantiser, this.#counters, uniform, rotation, this.size, prg)
  }

  /** Anew each round, so that no delta meets the same unlucky signs twice; not secret, for the server rotates back. */
  #rotation(context: Uint8Array, prg: Prg): Rotation | undefined {
    if (this.#config.secureAggregation.rotation !== true) return undefined
    return new Rotation(this.size, hash('fw1/rotation', context), prg)
  }
}

/** The weighted mean delta of a round, and what its counters say. */
export interface Aggregate {
  readonly pseudoGradient: Float32Array
  readonly weight: number
  /** Absent when no honest clients can have sent them: somebody masked garbage, and the figures say nothing. */
  readonly counters: RoundCounters | undefined
}

/** Adds updates, masked or not, and takes masks off; holds one vector of the model's size. As `Segments`: its words, not copies. */
export class UpdateSum implements Segments<Uint32Array> {
  readonly #quantiser: Quantiser
  readonly #counters: Counters
  readonly #uniform: boolean
  readonly #rotation: (context: Uint8Array) => Rotation | undefined
  readonly #segments: Segments<Accumulator>

  constructor(
    quantiser: Quantiser,
    counters: Counters,
    uniform: boolean,
    rotation: (context: Uint8Array) => Rotation | undefined,
    size: number,
    prg: Prg,
  ) {
    this.#quantiser = quantiser
    this.#uniform = uniform
    this.#rotation = rotation
    this.#counters = counters
    this.#segments = { update: prg.accumulator(size), counters: prg.accumulator(Counters.words) }
  }

  get update(): Uint32Array {
    return this.#segments.update.words
  }

  get counters(): Uint32Array {
    return this.#segments.counters.words
  }

  /** Adds one client's own update to an empty sum. `roundingKey`: of the stream that the delta is rounded by. */
  begin(delta: Float32Array, counters: ClientCounters, roundingKey: Uint8Array): void {
    this.#segments.update.addStream(roundingKey)
    this.#quantiser.encodeInto(this.#segments.update, delta, counters.weight)
    this.counters.set(this.#counters.encode(counters))
  }

  add(term: Segments<Uint32Array>): void {
    this.#segments.update.addWords(term.update)
    this.#segments.counters.addWords(term.counters)
  }

  /** Adds the update that `plain` holds. Throws `FL_UPDATE_SHAPE` where `UpdateFormat.parse` finds a fault. */
  addPlain(plain: Uint8Array): void {
    const { ring } = this.#quantiser
    const packed = ring.packedBytes(this.update.length)
    ring.addPacked(this.#segments.update, plain.subarray(0, packed))
    this.#segments.counters.addWords(new Uint32Array(plain.slice(packed).buffer))
  }

  /** Adds `masks` and gives the bytes of the sum. `into`: where to put them, `UpdateFormat.plainBytes` bytes. */
  masked(masks: readonly SignedMask[], into?: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
    applyMasksInto(this.#segments, masks, 1)
    const { ring } = this.#quantiser
    const packedBytes = ring.packedBytes(this.update.length)
    const out = into ?? new Uint8Array(packedBytes + COUNTERS_BYTES)
    ring.packSumInto(out.subarray(0, packedBytes), this.#segments.update)
    out.set(new Uint8Array(this.counters.slice().buffer), packedBytes)
    return out
  }

  unmask(masks: Iterable<SignedMask>): void {
    applyMasksInto(this.#segments, masks, -1)
  }

  /** Copies of the words so far, which another thread can be given and another sum can add. */
  words(): Segments<Uint32Array<ArrayBuffer>> {
    return { update: new Uint32Array(this.update), counters: new Uint32Array(this.counters) }
  }

  /**
   * The weighted mean over `clients` updates of the round of that context. Under uniform weighting the weight is their number, whatever the counters
   * say; else throws `FL_OUT_OF_RANGE` when the summed weight is impossible.
   */
  decode(clients: number, context: Uint8Array): Aggregate {
    const counters = attempt(() => this.#counters.decode(this.counters, clients))
    if (isFault(counters) && !this.#uniform) throw new FedweaveError(counters.fault, counters.message)
    const weight = this.#uniform || isFault(counters) ? clients : counters.weight
    const pseudoGradient = this.#quantiser.decode(this.update, weight)
    this.#rotation(context)?.inverseInPlace(pseudoGradient)
    return { pseudoGradient, weight, counters: isFault(counters) ? undefined : counters }
  }
}
