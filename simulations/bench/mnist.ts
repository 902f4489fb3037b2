import { describeModel, localTrainer, referenceCnn } from '@fedweave/client/tfjs'
import type { ClassificationMetrics } from '@fedweave/client/training'
import { Command } from 'commander'
import { integerOption } from '../src/commands/output.ts'
import { mnist } from '../src/data/mnist.ts'

export const command = new Command('mnist')
  .description('accuracy of the reference CNN, trained in one place on the 60,000 images of MNIST with Adam')
  .option('--epochs <n>', 'passes over the images', '3')
  .option('--seed <n>', 'seed of the initial weights and of the order of the images', '1')

/** Least test accuracy after so many epochs. */
const TARGETS = [
  { epochs: 1, accuracy: 0.975 },
  { epochs: 3, accuracy: 0.98 },
] as const

const plan = { epochs: 1, batchSize: 32, optimizer: 'adam', learningRate: 0.001 } as const

/**
 * Trains epoch by epoch, each a round of its own, so that Adam's moments start anew as they do in a task. `accuracy`,
 * `loss` and `macroF1` are those on the 10,000 test images after each epoch. `verified`: every target that the epochs
 * reach is met.
 */
export async function run(options: Record<string, unknown>): Promise<Record<string, unknown>> {
  const epochs = integerOption('epochs', options.epochs, 1, 100)
  const seed = integerOption('seed', options.seed, 0, 2 ** 31)
  const { model, weights } = await describeModel(referenceCnn(seed))
  const [training, test] = [localTrainer(mnist('train')), localTrainer(mnist('test'))]
  const { name, kernels } = await training.backend()
  const accuracy: number[] = []
  const loss: number[] = []
  const macroF1: number[] = []
  const seconds: number[] = []
  for (let epoch = 0; epoch < epochs; epoch++) {
    const from = performance.now()
    const round = await training.train({ model, weights, plan, seed: seed + epoch })
    seconds.push(round3((performance.now() - from) / 1000))
    for (let i = 0; i < weights.length; i++) weights[i] = (weights[i] as number) + (round.delta[i] as number)
    const judged = (await test.evaluate({ model, weights })) as ClassificationMetrics
    accuracy.push(judged.accuracy)
    loss.push(round3(judged.loss))
    macroF1.push(round3(judged.macro.f1))
  }
  await Promise.all([training.close(), test.close()])
  const verified = TARGETS.every((target) => target.epochs > epochs || (accuracy[target.epochs - 1] as number) >= target.accuracy)
  return { ...plan, epochs, seed, backend: name, kernels, accuracy, loss, macroF1, seconds, verified }
}

function round3(value: number): number {
  return Number(value.toFixed(3))
}
