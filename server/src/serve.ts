import { randomBytes } from 'node:crypto'
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { FedweaveError, fromHex, toHex } from '@fedweave/aggregator'
import { loadOrCreateKey, nodeCurves } from '@fedweave/aggregator/node'
import type { FastifyInstance, FastifyServerOptions } from 'fastify'
import { buildServer } from './app.ts'
import type { ServerConfig } from './config.ts'
import { openFileStore } from './storage/files.ts'
import type { TaskSpec } from './task-spec.ts'

export interface ServeOptions {
  readonly logger?: FastifyServerOptions['logger']
  /** Encrypts the server's keys at rest. */
  readonly passphrase?: string
  readonly warn: (message: string) => void
}

export interface Serving {
  readonly app: FastifyInstance
  readonly url: string
  /** Hex, for clients to pin. */
  readonly operatorKey: string
  readonly enrolmentKey: string
}

/** Loads or makes the server's keys, opens its stores, listens. Throws a `FedweaveError` that names what is wrong. */
export async function serve(config: ServerConfig, options: ServeOptions): Promise<Serving> {
  await mkdir(config.data, { recursive: true, mode: 0o700 })
  const operatorSeed = await serverKey(config, options, 'operator.key')
  const certifies = config.enrolment.key === undefined
  const enrolment = certifies
    ? { seed: await serverKey(config, options, 'enrolment.key') }
    : { key: fromHex(config.enrolment.key as string) }
  if (certifies) {
    options.warn(
      'enrolment is open: this server certifies whoever asks, which protects updates from an honest-but-curious server only',
    )
  }
  const { slots, deadlineMs, minimumBytesPerSecond } = config.uploads
  const app = await buildServer({
    tasks: await Promise.all(config.tasks.map(loadTask)),
    operatorSeed,
    enrolment,
    openStore: (id) => openFileStore(join(config.data, 'tasks', id)),
    staging: { slots, deadlineMs, minimumBytesPerSecond },
    reconnectMs: config.reconnectMs,
    logger: options.logger,
  })
  const { host, port } = config.listen
  if (!isLoopback(host)) options.warn(`listening on ${host} without TLS: put a proxy that terminates TLS in front of it`)
  let url: string
  try {
    url = await app.listen({ host, port })
  } catch (cause) {
    await app.close()
    const why = (cause as NodeJS.ErrnoException).code === 'EADDRINUSE' ? 'the port is taken' : String(cause)
    throw new FedweaveError('FL_CONFIG_INVALID', `cannot listen on ${host}:${port}: ${why}`, {
      cause,
      cure: 'Choose another `listen.port`; 0 takes a free one.',
    })
  }
  const enrolmentKey = 'key' in enrolment ? enrolment.key : nodeCurves.ed25519Public(enrolment.seed)
  return { app, url, operatorKey: toHex(nodeCurves.ed25519Public(operatorSeed)), enrolmentKey: toHex(enrolmentKey) }
}

async function serverKey(config: ServerConfig, { passphrase, warn }: ServeOptions, name: string): Promise<Uint8Array> {
  const create = () => new Uint8Array(randomBytes(32))
  const { seed, warning } = await loadOrCreateKey(join(config.data, name), {
    create,
    ...(passphrase === undefined ? {} : { passphrase }),
  })
  if (warning !== undefined) warn(warning)
  return seed
}

async function loadTask({ model, ...task }: ServerConfig['tasks'][number]): Promise<TaskSpec> {
  const topology = await readInput(model.topology, 'utf8')
  if (model.initialWeights === undefined) return { ...task, model: { topology: topology.toString() } }
  const raw = Uint8Array.from((await readInput(model.initialWeights)) as Buffer)
  return { ...task, model: { topology: topology.toString(), initialWeights: new Float32Array(raw.buffer) } }
}

async function readInput(path: string, encoding?: 'utf8'): Promise<string | Buffer> {
  try {
    return await readFile(path, encoding)
  } catch (cause) {
    throw new FedweaveError('FL_CONFIG_INVALID', `cannot read ${path}, which the config names`, { cause })
  }
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host.startsWith('127.')
}
