import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { FederatedClient, type LocalDataset, memoryStore } from '@fedweave/client'
import { buildServer, type Limits, MemoryDisk, memoryStore as memoryTaskStore, type TaskEvent, taskSpec } from '@fedweave/server'
import type { FastifyInstance } from 'fastify'
import type { Static } from 'typebox'
import { Value } from 'typebox/value'
import { operatorSeed } from '../../integration/support.ts'
import { someMnist } from './round.ts'
import { addData, bundle, type Files, respond } from './site.ts'

/** 784 grey values, 10 classes, 7,850 parameters. */
export const SOFTMAX_TOPOLOGY = JSON.stringify({
  class_name: 'Sequential',
  config: {
    name: 'softmax',
    layers: [
      {
        class_name: 'Flatten',
        config: { name: 'flatten', trainable: true, batch_input_shape: [null, 28, 28, 1], dtype: 'float32' },
      },
      {
        class_name: 'Dense',
        config: {
          name: 'output',
          units: 10,
          activation: 'softmax',
          use_bias: true,
          kernel_initializer: { class_name: 'Zeros', config: {} },
          bias_initializer: { class_name: 'Zeros', config: {} },
          trainable: true,
        },
      },
    ],
  },
  keras_version: 'tfjs-layers 4.22.0',
  backend: 'tensor_flow.js',
})

/** Of one client, told apart by its number. */
export const EXAMPLES = 48

export function shardOf(client: number): LocalDataset {
  const { xs, labels, shape } = someMnist(EXAMPLES * (client + 1))
  const from = EXAMPLES * client
  return { xs: xs.slice(from * 784), labels: labels.slice(from), shape }
}

export interface Federation {
  readonly app: FastifyInstance
  readonly url: string
  readonly disk: MemoryDisk
  readonly events: TaskEvent[]
  /** Resolves with the first event, past ones included, that `wanted` takes. */
  event(wanted: (event: TaskEvent) => boolean): Promise<TaskEvent>
  /** Takes no upload until the function that it returns is called; those on their way wait. */
  holdUploads(): () => void
  close(): Promise<void>
}

export type Spec = Static<typeof taskSpec>

export function softmaxTask(overrides: Record<string, unknown> = {}): Spec {
  const deadlines = { recruitingMs: 60_000, setupMs: 30_000, collectingMs: 60_000, confirmingMs: 30_000, unmaskingMs: 30_000 }
  const plan = { epochs: 2, batchSize: 16, optimizer: 'sgd', learningRate: 0.1 }
  const task = { id: 'digits', model: { topology: SOFTMAX_TOPOLOGY }, rounds: 1, deadlines, plan }
  return Value.Default(taskSpec, { ...task, ...overrides }) as Spec
}

export interface FederationOptions {
  /** Of the page, and its policy; default: a page with a client. */
  readonly files?: Files
  readonly csp?: string
  readonly limits?: Partial<Limits>
}

let pageFiles: Promise<Files> | undefined

/** A server of one task on a free port, with open enrolment, that also serves a page, by default that of a client, and five shards of MNIST. */
export async function startFederation(task: Spec, { files: page, csp, limits }: FederationOptions = {}): Promise<Federation> {
  if (page === undefined) pageFiles ??= bundle('federation-page')
  const files = new Map(page ?? (await pageFiles))
  for (let client = 0; client < 5; client++) {
    const { xs, labels } = shardOf(client)
    addData(files, { [`${client}/xs`]: xs, [`${client}/labels`]: labels })
  }
  addData(files, { 'none/xs': new Float32Array(0), 'none/labels': new Int32Array(0) })
  const disk = new MemoryDisk()
  const app = await buildServer({
    tasks: [task],
    operatorSeed,
    enrolment: { seed: operatorSeed.map((byte) => byte ^ 1) },
    openStore: async () => memoryTaskStore(disk),
    reconnectMs: 500,
    ...(limits === undefined ? {} : { limits }),
  })
  let held: Promise<void> | undefined
  app.addHook('onRequest', async ({ raw }: { readonly raw: IncomingMessage }, reply) => {
    if (raw.method === 'PUT') await held
    if (raw.url?.startsWith('/v1/') || raw.url?.startsWith('/socket.io/')) return
    reply.hijack()
    await respond(files, raw, reply.raw, csp)
  })
  const events: TaskEvent[] = []
  const emitter = app.hub.task(task.id).events
  emitter.on('event', (event) => events.push(event))
  return {
    app,
    url: await app.listen({ host: '127.0.0.1', port: 0 }),
    disk,
    events,
    async event(wanted) {
      for (let seen = 0; ; ) {
        const found = events.slice(seen).find(wanted)
        if (found !== undefined) return found
        seen = events.length
        await once(emitter, 'event')
      }
    },
    holdUploads() {
      let release = () => {}
      held = new Promise((resolve) => {
        release = resolve
      })
      return release
    },
    close: () => app.close(),
  }
}

/** A client of its own identity in this process. */
export function nodeClient(url: string, client: number): FederatedClient {
  return new FederatedClient({ url, task: 'digits', dataset: shardOf(client), seed: client, store: memoryStore() })
}
