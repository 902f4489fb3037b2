import { spawnSync } from 'node:child_process'
import { cpus } from 'node:os'
import { Adam, installKernels, Sgd } from '@fedweave/client/kernels'
import * as tf from '@tensorflow/tfjs'
import '@tensorflow/tfjs-backend-wasm' // registers the backend
import { Command, Option } from 'commander'
import { integerOption } from '../src/commands/output.ts'
import { TORCH_SCRIPT, type TorchTimes } from './train-torch.ts'

export const command = new Command('train')
  .description('one training step of two CNNs: stock TensorFlow.js, ours, their ratio, images per second')
  .option('--steps <n>', 'timed steps of ours in each case; stock is timed once', '40')
  .addOption(new Option('--peer <name>', 'time a peer too, where it is installed').choices(['torch']))

interface Times {
  readonly medianMs: number
  readonly minMs: number
}

const BATCH = 32
const MODELS = { reference: referenceLayers, mcmahan: mcmahanLayers } as const
const OPTIMIZERS = ['sgd', 'adam'] as const

/**
 * Times one training step, batch 32, of the reference CNN (693,962 parameters) and of the two-layer CNN of McMahan et al.
 * 2017 (1,663,370): stock tfjs on its cpu backend, tfjs with our kernels, their ratio, and images per second. Stock takes
 * 2 to 60 seconds a step and is timed once. In the result `peer` names the peer, or says that it is missing.
 */
export async function run(options: Record<string, unknown>): Promise<Record<string, unknown>> {
  const steps = integerOption('steps', options.steps, 1, 10_000)
  const { peer } = options
  const torch = peer === 'torch' ? torchTimes(steps) : undefined
  await tf.setBackend('wasm')
  const { variant } = await installKernels()
  const results: Record<string, unknown> = {}
  for (const [name, layers] of Object.entries(MODELS)) {
    for (const optimizer of OPTIMIZERS) {
      await tf.setBackend('wasm')
      const ours = await time(layers(), optimizer === 'sgd' ? new Sgd({ learningRate: 0.01 }) : new Adam(), steps)
      await tf.setBackend('cpu')
      const stock = await time(layers(), optimizer === 'sgd' ? tf.train.sgd(0.01) : tf.train.adam(), 1)
      const peerTimes = torch?.times[`${name}-${optimizer}`]
      results[`${name}-${optimizer}`] = {
        stockMs: stock.minMs,
        oursMs: ours.medianMs,
        oursMinMs: ours.minMs,
        ratio: stock.minMs / ours.medianMs,
        imagesPerSecond: (1000 * BATCH) / ours.medianMs,
        ...(peerTimes === undefined ? {} : { torchMs: peerTimes.medianMs, torchMinMs: peerTimes.minMs }),
      }
    }
  }
  const beside = peer === undefined ? {} : { peer: torch?.name ?? `${String(peer)} is not installed` }
  return { batch: BATCH, kernels: variant, node: process.version, cpu: cpus()[0]?.model, steps, ...beside, ...results }
}

/**
 * Median and least milliseconds of `steps` training steps on one batch of noise. The warm-up, until the engine has compiled
 * everything, is on two of its images for a single step and on all of them before many.
 */
async function time(layers: tf.layers.Layer[], optimizer: tf.Optimizer, steps: number): Promise<Times> {
  const model = tf.sequential({ layers })
  model.compile({ optimizer, loss: 'categoricalCrossentropy' })
  const x = tf.randomNormal([BATCH, 28, 28, 1], 0, 1, 'float32', 1)
  const digits = Array.from({ length: BATCH }, (_, i) => i % 10)
  const y = tf.oneHot(digits, 10)
  const [fewX, fewY] = [x.slice(0, 2), y.slice(0, 2)]
  for (let i = 0; i < 3; i++) await model.trainOnBatch(fewX, fewY)
  for (let i = 0; i < 10 && steps > 1; i++) await model.trainOnBatch(x, y)
  const times: number[] = []
  for (let i = 0; i < steps; i++) {
    const start = performance.now()
    await model.trainOnBatch(x, y)
    times.push(performance.now() - start)
  }
  model.dispose()
  optimizer.dispose()
  tf.dispose([x, y, fewX, fewY])
  times.sort((a, b) => a - b)
  return { medianMs: times[times.length >> 1] as number, minMs: times[0] as number }
}

function referenceLayers(): tf.layers.Layer[] {
  return [
    tf.layers.conv2d({ inputShape: [28, 28, 1], filters: 32, kernelSize: 3, activation: 'relu' }),
    tf.layers.maxPooling2d({ poolSize: 2 }),
    tf.layers.flatten(),
    tf.layers.dense({ units: 128, activation: 'relu' }),
    tf.layers.dense({ units: 10, activation: 'softmax' }),
  ]
}

function mcmahanLayers(): tf.layers.Layer[] {
  return [
    tf.layers.conv2d({ inputShape: [28, 28, 1], filters: 32, kernelSize: 5, padding: 'same', activation: 'relu' }),
    tf.layers.maxPooling2d({ poolSize: 2 }),
    tf.layers.conv2d({ filters: 64, kernelSize: 5, padding: 'same', activation: 'relu' }),
    tf.layers.maxPooling2d({ poolSize: 2 }),
    tf.layers.flatten(),
    tf.layers.dense({ units: 512, activation: 'relu' }),
    tf.layers.dense({ units: 10, activation: 'softmax' }),
  ]
}

/** Debian installs python3-torch for its own python3, which need not be the first on the path. */
function torchTimes(steps: number): TorchTimes | undefined {
  const env = { ...process.env, OPENBLAS_CORETYPE: 'SkylakeX', OPENBLAS_NUM_THREADS: '1', OMP_NUM_THREADS: '1' }
  for (const python of ['python3', '/usr/bin/python3']) {
    const { status, stdout } = spawnSync(python, ['-c', TORCH_SCRIPT, String(steps), String(BATCH)], { env, encoding: 'utf8' })
    if (status === 0) return JSON.parse(stdout) as TorchTimes
  }
  return undefined
}
