import { FedweaveError } from '@fedweave/aggregator'
import { nearest } from '../nearest.ts'
import type { Scenario } from './scenario.ts'

/** All scenarios, by name; each loads when it is asked for. */
export const SCENARIOS: Readonly<Record<string, () => Promise<{ readonly scenario: Scenario }>>> = {
  mnist: () => import('./mnist.ts'),
  'mnist-noniid': () => import('./mnist-noniid.ts'),
  'mcmahan-2nn': () => import('./mcmahan-2nn.ts'),
  'mcmahan-cnn': () => import('./mcmahan-cnn.ts'),
  fashion: () => import('./fashion.ts'),
  healthcare: () => import('./healthcare.ts'),
  finance: () => import('./finance.ts'),
  manufacturing: () => import('./manufacturing.ts'),
  'smart-city': () => import('./smart-city.ts'),
  'vowel-speakers': () => import('./vowel-speakers.ts'),
}

/** What the command line takes: `own` needs a path too. */
export const SCENARIO_NAMES: readonly string[] = [...Object.keys(SCENARIOS), 'own']

/** Throws `FL_USAGE` with the nearest name and the list. */
export async function findScenario(name: string): Promise<Scenario> {
  const load = Object.hasOwn(SCENARIOS, name) ? SCENARIOS[name] : undefined
  if (load !== undefined) return (await load()).scenario
  const suggestion = nearest(name, SCENARIO_NAMES)
  const hint = suggestion === undefined ? '.' : `, did you mean ${suggestion}?`
  throw new FedweaveError(
    'FL_USAGE',
    `there is no scenario ${JSON.stringify(name)}${hint} There are: ${SCENARIO_NAMES.join(', ')}`,
  )
}
