import { createHash } from 'node:crypto'
import { largestRoster, type ModelSpec, parseTaskConfig, type TaskConfig, toHex } from '@fedweave/aggregator'
import { cohortSize, type SimulationConfig } from './config.ts'

/** Largest total weight that a ring of 32 bits sums at that many value bits. */
const largestTotal = (valueBits: number) => Math.floor((2 ** 31 - 1) / (2 ** (valueBits - 1) - 1))

/** A simulation as the protocol knows it, and how a client's examples become its weight. */
export interface SimulatedTask {
  readonly config: TaskConfig
  /** Examples that make a weight of one: more than one where the cohort's weights would not fit into the ring. */
  readonly unit: number
}

/**
 * The task config that a live server would sign for this simulation. `mostExamples`: of any client; `enrolmentKey`: hex.
 * Throws `FL_CONFIG_INVALID`.
 */
export function taskOf(
  simulation: SimulationConfig,
  model: ModelSpec,
  weights: Float32Array,
  mostExamples: number,
  enrolmentKey: string,
): SimulatedTask {
  const { behaviour, valueBits, clipBound, weighting } = simulation
  const cohort = { minimum: 3, target: Math.max(3, cohortSize(simulation)), overSelection: behaviour.overSelection }
  const unit = weighting === 'uniform' ? 1 : Math.ceil((mostExamples * largestRoster({ cohort })) / largestTotal(valueBits))
  const config = parseTaskConfig({
    protocol: 'fedweave/v1',
    taskId: simulation.scenario,
    rounds: 1_000_000, // no end of its own: a run may be given more rounds later
    model,
    initialModel: toHex(modelHash(weights)),
    plan: simulation.plan,
    strategy: { name: 'fedavg' },
    cohort,
    secureAggregation: {
      clipBound,
      valueBits,
      weighting,
      maxWeight: weighting === 'uniform' ? 1 : Math.floor(mostExamples / unit) || 1,
      dropout: tolerated(simulation),
    },
    deadlines: { recruitingMs: 60_000, setupMs: 60_000, collectingMs: 3_600_000, confirmingMs: 60_000, unmaskingMs: 60_000 },
    enrolment: { key: enrolmentKey, holder: 'external' },
  })
  return { config, unit }
}

/** The part of a roster that may be lost: twice what the simulation loses on average, at least a fifth. */
function tolerated({ behaviour }: SimulationConfig): number {
  const { dropout, overSelection, deadline } = behaviour
  return Math.min(0.5, Math.max(0.2, 2 * dropout + (1 - 1 / overSelection) + (deadline > 0 ? 0.2 : 0)))
}

/** SHA-256 of the weights as little-endian float32: the name of a model. */
export function modelHash(weights: Float32Array): Uint8Array {
  return digestOf(new Uint8Array(weights.buffer, weights.byteOffset, weights.byteLength))
}

/** SHA-256 by the platform: ten times as fast as the pure one on the megabytes of a model. */
export function digestOf(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(createHash('sha256').update(bytes).digest())
}
