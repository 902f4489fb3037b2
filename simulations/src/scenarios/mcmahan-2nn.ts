import { USUAL } from './defaults.ts'
import { ACCURACY } from './metrics.ts'
import { digits } from './mnist.ts'
import type { Scenario } from './scenario.ts'
import { dense, flatten, sequential } from './topology.ts'

/** Two hidden layers of 200 units, 199,210 parameters: the 2NN of McMahan et al. 2017, section 3. */
export const scenario: Scenario = {
  name: 'mcmahan-2nn',
  title: "McMahan's 2NN on MNIST, to 97 %",
  summary: 'Table 1 of McMahan 2017: two hidden layers of 200, C=0.1, E=1, B=10, to 97 %',
  defaults: { ...USUAL, rounds: 100, target: 0.97 },
  metric: ACCURACY,
  load: digits,
  topology: (_federation, seed) =>
    sequential(
      'mcmahan_2nn',
      [28, 28, 1],
      [flatten(), dense('hidden1', 200, 'relu'), dense('hidden2', 200, 'relu'), dense('output', 10, 'softmax')],
      seed,
    ),
}
