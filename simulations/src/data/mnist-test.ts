import type { Dataset } from './dataset.ts'
import { mnist } from './mnist.ts'

/** MNIST's 10,000 test images, for `evaluation: { module: "@fedweave/simulations/data/mnist-test" }` in a server's config. */
export function evaluationData(): Dataset {
  return mnist('test')
}
