import { fashionMnist } from '../data/fashion-mnist.ts'
import { scenario as mnist } from './mnist.ts'
import type { Scenario } from './scenario.ts'

export const scenario: Scenario = {
  ...mnist,
  name: 'fashion',
  title: 'Clothes on the reference CNN, skewed clients',
  summary: 'Fashion-MNIST, reference CNN, 100 clients by Dirichlet with alpha 0.5',
  defaults: { ...mnist.defaults, rounds: 50, partition: { name: 'dirichlet', alpha: 0.5 } },
  load: fashionMnist,
}
