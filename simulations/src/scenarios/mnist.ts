import { referenceCnn } from '@fedweave/client/reference-model'
import { mnist } from '../data/mnist.ts'
import { USUAL } from './defaults.ts'
import { ACCURACY } from './metrics.ts'
import type { Federation, Scenario } from './scenario.ts'

export const DIGITS = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9']

export async function digits(): Promise<Federation> {
  return { train: mnist('train'), test: mnist('test'), classNames: DIGITS }
}

export const scenario: Scenario = {
  name: 'mnist',
  title: 'Handwritten digits on the reference CNN',
  summary: 'MNIST, reference CNN of 693,962 parameters, 100 IID clients of 600 images',
  defaults: USUAL,
  metric: ACCURACY,
  load: digits,
  topology: (_federation, seed) => referenceCnn(seed),
}
