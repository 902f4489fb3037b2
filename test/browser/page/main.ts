import { isRegressor } from '@fedweave/aggregator'
import { isLost, selectBackend } from '../../../client-sdk/src/tfjs/backend.ts'
import { tfjsPlatform } from '../../../client-sdk/src/tfjs/platform.ts'
import { localTrainer } from '../../../client-sdk/src/training/local-trainer.ts'
import type { LocalDataset, TrainingRequest } from '../../../client-sdk/src/training/trainer.ts'
import { webWorkerTrainer } from '../../../client-sdk/src/worker/web-host.ts'
import type { Measured, PageApi, Round } from './api.ts'

const wasmPaths = '/wasm/'

const api: PageApi = {
  async trainInWorker(round) {
    const dataset = await fetchDataset(round)
    const request = await fetchRequest(round)
    const trainer = webWorkerTrainer(dataset, { wasmPaths })
    const stop = watchLongTasks()
    let reports = 0
    try {
      const result = await trainer.train(request, { onProgress: () => reports++ })
      const longTasks = stop()
      return { ...(await measured(result)), backend: await trainer.backend(), longTasks, reports }
    } finally {
      await trainer.close()
    }
  },

  async crashAndRecover(round) {
    const request = await fetchRequest(round)
    const trainer = webWorkerTrainer(await fetchDataset(round), { wasmPaths })
    try {
      const poisonous = { ...request, model: undefined as unknown as TrainingRequest['model'] } // a TypeError in the worker
      const error = await trainer.train(poisonous).then(
        () => undefined,
        ({ name, code, message }) => ({ name, code, message }),
      )
      const { steps } = await trainer.train(request)
      return { error, steps }
    } finally {
      await trainer.close()
    }
  },

  async tensorsOver(round, rounds) {
    const worker = new Worker(new URL('./leak.worker.ts', import.meta.url), { type: 'module' })
    try {
      worker.postMessage({ dataset: await fetchDataset(round), request: await fetchRequest(round), rounds })
      return await new Promise((resolve, reject) => {
        worker.onmessage = ({ data }) => resolve(data)
        worker.onerror = ({ message }) => reject(new Error(message))
      })
    } finally {
      worker.terminate()
    }
  },

  async blockFor(ms) {
    const stop = watchLongTasks()
    await new Promise((resolve) => setTimeout(resolve)) // a task of its own
    const end = performance.now() + ms
    while (performance.now() < end);
    await new Promise((resolve) => setTimeout(resolve, 50))
    return stop()
  },

  backend: (options) => selectBackend({ wasmPaths, ...options }),

  async trainUntilLost(round) {
    // SwiftShader is slow and would lose the probe: here it wins, so that training runs on it.
    const platform = tfjsPlatform(true)
    const times = [20, 10]
    const probe = async () => ({ ...(await platform.probe()), stepMs: times.shift() as number })
    const before = await selectBackend({ wasmPaths, allowSoftwareGpu: true }, { ...platform, probe })
    const trainer = localTrainer(await fetchDataset(round))
    const steps: number[] = []
    const result = await trainer.train(await fetchRequest(round), {
      onProgress({ step }) {
        steps.push(step)
        if (steps.length === 2) loseContext()
      },
    })
    await trainer.close()
    return { ...(await measured(result)), before, after: await selectBackend(), lost: isLost(before), reported: steps }
  },
}

/** Watches this thread; the function it returns ends that and gives the durations of its tasks above 50 ms. */
function watchLongTasks(): () => number[] {
  const seen: PerformanceEntry[] = []
  const observer = new PerformanceObserver((list) => seen.push(...list.getEntries()))
  observer.observe({ type: 'longtask' })
  return () => {
    seen.push(...observer.takeRecords())
    observer.disconnect()
    return seen.map(({ duration }) => duration)
  }
}

/** Takes every WebGL context away that TensorFlow.js got, as a driver's crash would. */
function loseContext(): void {
  for (const context of contexts) context.getExtension('WEBGL_lose_context')?.loseContext()
}

const contexts: WebGL2RenderingContext[] = []
const getContext = OffscreenCanvas.prototype.getContext
OffscreenCanvas.prototype.getContext = function (this: OffscreenCanvas, ...args: Parameters<typeof getContext>) {
  const context = getContext.apply(this, args)
  if (context instanceof WebGL2RenderingContext) contexts.push(context)
  return context
} as typeof getContext

async function fetchDataset({ shape, model }: Round): Promise<LocalDataset> {
  const [xs, labels] = await Promise.all([fetchBytes('/data/xs'), fetchBytes('/data/labels')])
  return { xs: new Float32Array(xs), labels: isRegressor(model) ? new Float32Array(labels) : new Int32Array(labels), shape }
}

async function fetchRequest({ model, plan, seed }: Round): Promise<TrainingRequest> {
  return { model, plan, seed, weights: new Float32Array(await fetchBytes('/data/weights')) }
}

async function fetchBytes(path: string): Promise<ArrayBuffer> {
  const response = await fetch(path)
  if (!response.ok) throw new Error(`${path}: ${response.status}`)
  return response.arrayBuffer()
}

async function measured({ delta, ...rest }: Measured & { delta: Float32Array }): Promise<Measured & { deltaHash: string }> {
  const digest = await crypto.subtle.digest('SHA-256', delta.slice())
  const deltaHash = Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('')
  return { ...rest, deltaHash }
}

window.fedweave = api
