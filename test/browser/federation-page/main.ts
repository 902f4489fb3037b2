import { FederatedClient, type LocalDataset, type RunSummary } from '@fedweave/client/browser'
import type { Failure, FederationApi, Heard } from './api.ts'

const heard: Heard[] = []
let client: FederatedClient | undefined
let running: Promise<RunSummary | Failure>
let dataset: LocalDataset
let longest = 0
let tell = () => {}

new PerformanceObserver((list) => {
  for (const { duration } of list.getEntries()) longest = Math.max(longest, duration)
}).observe({ type: 'longtask', buffered: true })

const api: FederationApi = {
  async join({ examples, consents, url = location.origin, ...options }) {
    dataset = await load(examples)
    client = new FederatedClient({
      ...options,
      url,
      dataset: () => dataset,
      wasmPaths: '/wasm/',
      ...(consents === undefined ? {} : { consent: async () => consents }),
    })
    for (const type of ['phase', 'progress', 'uploaded', 'round', 'warning', 'connection', 'waiting'] as const)
      client.on(type, (event) => {
        heard.push([type, event] as Heard)
        tell()
      })
    running = client.run().catch(({ name, code, message }: Failure) => ({ name, code, message }))
  },
  outcome: () => running,
  events: () => heard,
  async heard(type, fields = {}) {
    const fits = ([kind, event]: Heard) =>
      kind === type && Object.entries(fields).every(([name, value]) => String(event[name as never]) === String(value))
    while (!heard.some(fits)) {
      await new Promise<void>((resolve) => {
        const before = tell
        tell = () => {
          before()
          resolve()
        }
      })
    }
  },
  evaluates: mayEvaluate(),
  pause: () => client?.pause(),
  resume: () => client?.resume(),
  leave: () => client?.leave(),
  async change(examples) {
    dataset = await load(examples)
    client?.dataChanged()
  },
  longestTask: () => longest,
}

function mayEvaluate(): boolean {
  try {
    return Function('return true')()
  } catch {
    return false
  }
}

async function load(name: string): Promise<LocalDataset> {
  const [xs, labels] = await Promise.all(
    ['xs', 'labels'].map((part) => fetch(`/data/${name}/${part}`).then((r) => r.arrayBuffer())),
  )
  return { xs: new Float32Array(xs as ArrayBuffer), labels: new Int32Array(labels as ArrayBuffer), shape: [28, 28, 1] }
}

window.client = api
