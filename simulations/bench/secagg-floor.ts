import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import type { Worker } from 'node:worker_threads'
import { fastestPrg, startWorker } from '@fedweave/aggregator/node'

/** Words that all streams of a measurement have together: a few hundred milliseconds of work. */
const WORDS = 250_000_000
const FEWEST_STREAMS = 100

/** Milliseconds to expand one stream of `dim` words and add it, with `threads` threads side by side: the least that a mask costs. */
export async function streamMs(dim: number, threads: number): Promise<number> {
  const streams = Math.ceil(Math.max(FEWEST_STREAMS, WORDS / dim) / threads)
  if (threads === 1) {
    const expand = expander(dim)
    const from = performance.now()
    expand(streams)
    return (performance.now() - from) / streams
  }
  const workers = Array.from({ length: threads }, () =>
    startWorker(new URL('./secagg-floor.worker.ts', import.meta.url), { workerData: dim }),
  )
  try {
    await answers(workers) // all are ready
    const from = performance.now()
    for (const worker of workers) worker.postMessage(streams)
    await answers(workers)
    return (performance.now() - from) / (streams * threads)
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()))
  }
}

/** A warm accumulator of `dim` words, to which it adds as many streams as asked. */
export function expander(dim: number): (streams: number) => void {
  const accumulator = fastestPrg().accumulator(dim)
  const keys = Array.from({ length: FEWEST_STREAMS }, () => new Uint8Array(randomBytes(32)))
  const expand = (streams: number) => {
    for (let i = 0; i < streams; i++) accumulator.addStream(keys[i % keys.length] as Uint8Array)
  }
  expand(1)
  return expand
}

async function answers(workers: readonly Worker[]): Promise<void> {
  await Promise.all(workers.map((worker) => once(worker, 'message')))
}
