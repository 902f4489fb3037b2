import { Worker, type WorkerOptions } from 'node:worker_threads'

/**
 * Starts a worker thread from a module of ours, whether the checkout runs from sources (`.ts`, through tsx) or the
 * published package runs from `dist` (`.js`). Node 20 does not hand module hooks to a worker's entry file, so from
 * sources a bootstrap registers them first.
 */
export function startWorker(url: URL, options: WorkerOptions = {}): Worker {
  if (!url.pathname.endsWith('.ts')) return new Worker(url, options)
  const tsx = JSON.stringify(import.meta.resolve('tsx/esm/api'))
  const bootstrap = `import(${tsx}).then((tsx) => { tsx.register(); return import(${JSON.stringify(url.href)}) })`
  return new Worker(bootstrap, { ...options, eval: true, execArgv: ['--conditions=source'] })
}
