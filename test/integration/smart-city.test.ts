import { expect, test } from 'vitest'
import { simulate } from '../../simulations/src/engine/simulate.ts'
import { scenario } from '../../simulations/src/scenarios/smart-city.ts'

const present = process.env.FEDWEAVE_DATA_DIR !== undefined
if (!present) console.warn('\n!!! FEDWEAVE_DATA_DIR is not set: the smart city is NOT SIMULATED.\n')

test.skipIf(!present)('twelve stations forecast PM2.5 better than persistence after five rounds, each of them', async () => {
  const config = { scenario: scenario.name, ...scenario.defaults, rounds: 5, baselines: false }
  const result = await simulate(scenario, config, { workers: 2 })
  expect(result).toMatchObject({ metric: 'RMSE in µg/m³', better: 'lower', floor: { name: 'persistence' }, judgedBy: 'own' })
  expect(result?.test.metric).toBeLessThan(0.95 * (result?.floor?.metric as number))
  expect(result?.clients).toHaveLength(12)
  for (const { federated, floor } of result?.clients ?? []) expect(federated).toBeLessThan(floor as number)
})
