import type { RoundRecord, SimulationResult } from '../../../simulations/src/engine/record.ts'
import { cloudsConfig } from './scenarios-for-tests.ts'

/** A finished run of so many rounds and clients, in whole and easy numbers. */
/** The same of a forecast, whose errors are in metres. */
export function forecastOf(): SimulationResult {
  const { rounds, clients, ...result } = resultOf()
  const judged = { examples: 100, loss: 0.25, mae: 3, metric: 5 }
  return {
    ...result,
    metric: 'RMSE in m',
    better: 'lower',
    unit: 'm',
    rounds: rounds.map(({ accuracy: _, accuracyBand: __, ...round }) => ({ ...round, test: judged })),
    test: judged,
    pooled: { ...judged, metric: 4 },
    floor: { ...judged, name: 'persistence', metric: 8 },
    clients: clients.map((client, i) => ({ ...client, federated: i + 1, floor: 9 })),
  }
}

export function resultOf({ rounds = 3, clients = 4, metric = 0.75 } = {}): SimulationResult {
  const band = { low: 0.25, median: 0.5, high: 0.75 }
  const record = (round: number): RoundRecord => ({
    round,
    invited: 5,
    survivors: 3,
    dropouts: 1,
    stragglers: 1,
    aborted: 0,
    loss: 1 / round,
    accuracy: 0.5,
    lossBand: band,
    accuracyBand: band,
    test: { examples: 100, loss: 0.5, accuracy: 0.8, metric },
    uploadBytes: 3_000_000,
    downloadBytes: 5_000_000,
    seconds: 60 * round,
    modelHash: 'ab'.repeat(32),
  })
  return {
    config: cloudsConfig({ clients }),
    title: 'Clouds & <showers>',
    metric: 'macro F1',
    better: 'higher',
    classNames: ['sun', 'rain, or so'],
    rounds: Array.from({ length: rounds }, (_, i) => record(i + 1)),
    modelHash: 'cd'.repeat(32),
    dataHash: 'ef'.repeat(32),
    test: { examples: 100, loss: 0.5, accuracy: 0.8, metric },
    confusion: [
      [40, 10],
      [10, 40],
    ],
    clients: Array.from({ length: clients }, (_, client) => ({
      client,
      name: `client ${client + 1}`,
      examples: 10,
      labels: [client % 11, 10 - (client % 11)],
      rounds: 2,
      federated: (client + 1) / clients,
      local: 0.25,
      pooled: 1,
    })),
    pooled: { examples: 100, loss: 0.25, accuracy: 0.9, metric: 0.875 },
    judgedBy: 'own',
    participation: { least: 1, mean: 2, most: 3 },
  }
}
