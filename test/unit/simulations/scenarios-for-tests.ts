import { Random } from '@fedweave/client/training'
import type { SimulationConfig } from '../../../simulations/src/engine/config.ts'
import { USUAL } from '../../../simulations/src/scenarios/defaults.ts'
import { ACCURACY, rmseIn } from '../../../simulations/src/scenarios/metrics.ts'
import type { Scenario } from '../../../simulations/src/scenarios/scenario.ts'
import { dense, sequential } from '../../../simulations/src/scenarios/topology.ts'

/** Three clouds of points in the plane, which a linear model separates; 600 to train on and 150 to test on. */
export const clouds: Scenario = {
  name: 'clouds',
  title: 'Three clouds',
  summary: 'three clouds of points',
  defaults: { ...USUAL, clients: 20, fraction: 0.5, rounds: 4, plan: { ...USUAL.plan, learningRate: 0.05 } },
  metric: ACCURACY,
  load: async () => ({ train: points(600, 1), test: points(150, 2), classNames: ['north', 'east', 'west'] }),
  topology: (_federation, seed) => sequential('clouds', [2], [dense('output', 3, 'softmax')], seed),
}

const CENTRES = [
  [0, 2],
  [2, -1],
  [-2, -1],
] as const

function points(examples: number, seed: number) {
  const random = new Random(seed)
  const noise = () => (random.uint32() + random.uint32() + random.uint32()) / 2 ** 31 - 3
  const labels = Int32Array.from({ length: examples }, (_, i) => i % 3)
  const xs = Float32Array.from({ length: 2 * examples }, (_, i) => {
    const centre = CENTRES[labels[i >> 1] as number] as readonly number[]
    return (centre[i % 2] as number) + noise()
  })
  return { xs, shape: [2], labels, classes: 3 }
}

/** Lengths on a line with noise, to be forecast in metres: label = (metres - 50) / 10. The floor says 50 always. */
export const slope: Scenario = {
  name: 'slope',
  title: 'A slope',
  summary: 'numbers on a line',
  defaults: {
    ...clouds.defaults,
    clients: 6,
    fraction: 1,
    plan: { ...USUAL.plan, loss: 'meanSquaredError' },
    partition: { name: 'natural' },
  },
  metric: rmseIn('m'),
  load: async () => {
    const [train, test] = [lengths(600, 1), lengths(150, 2)]
    const ids = (examples: number) => Int32Array.from({ length: examples }, (_, i) => i % 6)
    return {
      train,
      test,
      classNames: ['short', 'middling', 'long'],
      forecast: {
        unit: 'm',
        mean: 50,
        deviation: 10,
        bounds: [45, 55],
        floor: { name: 'the mean', test: new Float32Array(150) },
      },
      natural: { names: ['a', 'b', 'c', 'd', 'e', 'f'], train: ids(600), test: ids(150) },
    }
  },
  topology: (_federation, seed) => sequential('slope', [1], [dense('output', 1, 'linear')], seed),
}

function lengths(examples: number, seed: number) {
  const random = new Random(seed)
  const xs = Float32Array.from({ length: examples }, () => random.uint32() / 2 ** 31 - 1)
  return { xs, shape: [1], labels: xs.map((x) => 1.5 * x + 0.1 * (random.uint32() / 2 ** 31 - 1)), classes: 1 }
}

export function slopeConfig(changes: Partial<SimulationConfig> = {}): SimulationConfig {
  return { scenario: slope.name, ...slope.defaults, ...changes }
}

export function cloudsConfig(changes: Partial<SimulationConfig> = {}): SimulationConfig {
  return { scenario: clouds.name, ...clouds.defaults, ...changes }
}
