import { scenario as mnist } from './mnist.ts'
import type { Scenario } from './scenario.ts'

export const scenario: Scenario = {
  ...mnist,
  name: 'mnist-noniid',
  title: 'Handwritten digits, two shards of one digit for each client',
  summary: 'MNIST, reference CNN, 100 clients with two shards of one digit each (McMahan 2017)',
  defaults: { ...mnist.defaults, rounds: 100, partition: { name: 'shard', shards: 2 } },
}
