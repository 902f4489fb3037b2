import { USUAL } from './defaults.ts'
import { ACCURACY } from './metrics.ts'
import { digits } from './mnist.ts'
import type { Scenario } from './scenario.ts'
import { conv, dense, flatten, pool, sequential } from './topology.ts'

/** Two 5x5 convolutions of 32 and 64, a hidden layer of 512, 1,663,370 parameters: the CNN of McMahan et al. 2017, section 3. */
export const scenario: Scenario = {
  name: 'mcmahan-cnn',
  title: "McMahan's CNN on MNIST, to 99 %",
  summary: 'Table 2 of McMahan 2017: two 5x5 convolutions, C=0.1, E=5, B=10, to 99 %',
  defaults: { ...USUAL, rounds: 50, target: 0.99, plan: { ...USUAL.plan, epochs: 5 } },
  metric: ACCURACY,
  load: digits,
  topology: (_federation, seed) =>
    sequential(
      'mcmahan_cnn',
      [28, 28, 1],
      [
        conv('conv1', 32, 5),
        pool('pool1'),
        conv('conv2', 64, 5),
        pool('pool2'),
        flatten(),
        dense('hidden', 512, 'relu'),
        dense('output', 10, 'softmax'),
      ],
      seed,
    ),
}
