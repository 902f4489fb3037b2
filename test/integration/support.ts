import {
  certificate,
  certify,
  encode,
  type JournalEntry,
  joinToken,
  type LocalUpdate,
  openConfig,
  openEntry,
  signJoinToken,
  toHex,
  UpdateFormat,
} from '@fedweave/aggregator'
import { nodeCurves } from '@fedweave/aggregator/node'
import { seededEntropy } from '@fedweave/aggregator/testing'
import { type ClientStore, type LocalDataset, memoryStore } from '@fedweave/client'
import { type SimulatedClientOptions, simulatedClient, socketTransport } from '@fedweave/client/simulation'
import {
  buildServer,
  MemoryDisk,
  memoryStore as memoryTaskStore,
  type ServerOptions,
  type TaskEvent,
  taskSpec,
} from '@fedweave/server'
import type { FastifyInstance } from 'fastify'
import type { Static } from 'typebox'
import { Value } from 'typebox/value'

/** 4 inputs, 3 classes, 15 parameters: small enough to look at every one. */
export const TINY_TOPOLOGY = JSON.stringify({
  class_name: 'Sequential',
  config: {
    name: 'tiny',
    layers: [
      {
        class_name: 'Dense',
        config: {
          name: 'out',
          units: 3,
          activation: 'softmax',
          use_bias: true,
          kernel_initializer: {
            class_name: 'VarianceScaling',
            config: { scale: 1, mode: 'fan_avg', distribution: 'uniform', seed: 7 },
          },
          bias_initializer: { class_name: 'Zeros', config: {} },
          trainable: true,
          batch_input_shape: [null, 4],
          dtype: 'float32',
        },
      },
    ],
  },
  keras_version: 'tfjs-layers 4.22.0',
  backend: 'tensor_flow.js',
})
export const TINY_SIZE = 15

/** Labelled noise: the scripted trainers never look at it, but it must fit the model. */
export const TINY_DATA: LocalDataset = { xs: new Float32Array(8), shape: [4], labels: Int32Array.of(0, 1) }

type Spec = Static<typeof taskSpec>

/** A task on the tiny model with short deadlines. */
export function tinyTask(overrides: Record<string, unknown> = {}): Spec {
  const deadlines = { recruitingMs: 10_000, setupMs: 5000, collectingMs: 10_000, confirmingMs: 5000, unmaskingMs: 5000 }
  return Value.Default(taskSpec, { id: 'tiny', model: { topology: TINY_TOPOLOGY }, rounds: 1, deadlines, ...overrides }) as Spec
}

export const enrolmentSeed = seededEntropy('integration/enrolment').bytes(32)
export const enrolmentKey = nodeCurves.ed25519Public(enrolmentSeed)
export const operatorSeed = seededEntropy('integration/operator').bytes(32)
export const operatorKey = nodeCurves.ed25519Public(operatorSeed)

export interface RunningServer {
  readonly app: FastifyInstance
  readonly url: string
  readonly disk: MemoryDisk
  readonly events: TaskEvent[]
}

export async function startServer(
  task: Spec,
  options: Partial<ServerOptions> & { readonly disk?: MemoryDisk; readonly port?: number } = {},
): Promise<RunningServer> {
  const { disk = new MemoryDisk(), port = 0, ...rest } = options
  const app = await buildServer({
    tasks: [task],
    operatorSeed,
    enrolment: { key: enrolmentKey },
    openStore: async () => memoryTaskStore(disk),
    reconnectMs: 300,
    ...rest,
  })
  const events: TaskEvent[] = []
  app.hub.task(task.id).events.on('event', (event) => events.push(event))
  return { app, url: await app.listen({ host: '127.0.0.1', port }), disk, events }
}

/** Breaks every connection of the server, and puts one in its place that has nothing but what was on the disk at that moment. */
export async function crashed(
  { app, disk, url }: RunningServer,
  task: Spec,
  options: Partial<ServerOptions> = {},
): Promise<RunningServer> {
  const image = imageOf(disk)
  for (const socket of app.io.sockets.sockets.values()) socket.conn.close()
  await app.close()
  return startServer(task, { disk: image, port: Number(new URL(url).port), ...options })
}

/** The disk as a kill -9 leaves it now. */
function imageOf(disk: MemoryDisk): MemoryDisk {
  const image = new MemoryDisk()
  image.journal.push(...disk.journal)
  for (const [hash, bytes] of disk.checkpoints) image.checkpoints.set(hash, bytes)
  for (const [name, bytes] of disk.notes) image.notes.set(name, bytes)
  return image
}

/** Gives the same result each time, after `ready`; counts how often it was asked. */
export function scriptedTrainer(update: LocalUpdate, ready: () => Promise<unknown> = async () => undefined) {
  const calls = { count: 0 }
  const trainer = () => ({
    async train() {
      calls.count += 1
      await ready()
      return { ...update, steps: 1 }
    },
    close: async () => undefined,
  })
  return { trainer, calls }
}

/** A store whose identity the enrolment key has certified. */
export async function enrolledStore(name: string): Promise<ClientStore> {
  const store = memoryStore()
  const { seed } = await store.identity(() => seededEntropy(`integration/${name}`).bytes(32))
  await store.saveCertificate(
    encode(certificate, certify(nodeCurves, enrolmentSeed, nodeCurves.ed25519Public(seed), 4_000_000_000)),
  )
  return store
}

/** A join token of that name's identity, certified until `notAfter`, as of `at`; signed by another identity where `by` names one. */
export function joinTokenOf(name: string, { at = Date.now(), notAfter = 4_000_000_000, by = name } = {}): Uint8Array {
  const seedOf = (of: string) => seededEntropy(`integration/${of}`).bytes(32)
  const certified = certify(nodeCurves, enrolmentSeed, nodeCurves.ed25519Public(seedOf(name)), notAfter)
  return encode(joinToken, signJoinToken(nodeCurves, seedOf(by), certified, at))
}

export async function tinyClient(url: string, name: string, options: Partial<SimulatedClientOptions> = {}) {
  return simulatedClient({
    task: 'tiny',
    dataset: TINY_DATA,
    entropySeed: name,
    server: () => socketTransport(url),
    store: await enrolledStore(name),
    pins: { operatorKey: toHex(operatorKey), enrolmentKey: toHex(enrolmentKey) },
    ...options,
  })
}

/** A delta of the tiny model that differs from client to client, inside any clip bound used here. */
export function deltaOf(client: number, round = 0): Float32Array {
  return Float32Array.from({ length: TINY_SIZE }, (_, i) => Math.sin(1 + i * 1.7 + client * 0.9 + round * 2.3))
}

/** What the server committed; first the entry of the initial model. */
export function entriesOf({ disk }: { readonly disk: MemoryDisk }): readonly JournalEntry[] {
  return disk.journal.map((signed) => openEntry(nodeCurves, operatorKey, signed))
}

export function stepOf(server: RunningServer): number {
  const { signedConfig } = server.app.hub.task('tiny').history
  return new UpdateFormat(openConfig(nodeCurves, operatorKey, signedConfig).config).step
}

export function weightsOf(disk: MemoryDisk, modelHash: Uint8Array): Float32Array {
  const bytes = disk.checkpoints.get(toHex(modelHash))
  if (bytes === undefined) throw new Error(`no checkpoint ${toHex(modelHash)}`)
  return new Float32Array(bytes.slice().buffer)
}
