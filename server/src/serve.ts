import { mkdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { FedweaveError, fromHex, toHex } from '@fedweave/aggregator'
import { nodeCurves } from '@fedweave/aggregator/node'
import type { FastifyInstance } from 'fastify'
import { buildServer } from './app.ts'
import type { ServerConfig } from './config/schema.ts'
import { enrolmentCheck } from './enrolment/check.ts'
import { TokenBook } from './enrolment/tokens.ts'
import { listen, operatorOf, type ServeOptions, serverKey } from './serving.ts'
import { taskFolders } from './storage/task-folders.ts'
import type { TaskSpec } from './task-spec.ts'

const COORDINATOR_KEY_FILE = 'coordinator.key'

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
  const { key, url: enrolAt } = config.enrolment
  const enrolment =
    key === undefined ? await ownDesk(config, options) : { key: fromHex(key), ...(enrolAt === undefined ? {} : { url: enrolAt }) }
  const { origins, trustProxy, limits, reconnectMs, checkpoints } = config
  const folders = taskFolders(join(config.data, 'tasks'))
  const app = await buildServer({
    tasks: await Promise.all(config.tasks.map(loadTask)),
    operatorSeed,
    coordinatorSecret: await serverKey(config, options, COORDINATOR_KEY_FILE),
    enrolment,
    openStore: folders.openStore,
    shelf: folders,
    operator: await operatorOf(config),
    ...('check' in enrolment && enrolment.check instanceof TokenBook ? { tokens: enrolment.check } : {}),
    ...{ origins, trustProxy, limits, reconnectMs, checkpoints },
    logger: options.logger,
  })
  for (const plugin of options.plugins ?? []) await app.register(plugin)
  // After a clean end no round is left for which the next run would need it.
  app.addHook('onClose', () => rm(join(config.data, COORDINATOR_KEY_FILE), { force: true }))
  const url = await listen(app, config, options)
  return { app, url, operatorKey: toHex(nodeCurves.ed25519Public(operatorSeed)), enrolmentKey: toHex(app.hub.enrolment.key) }
}

/** Whom this server certifies, with a key that it holds itself. */
async function ownDesk(config: ServerConfig, options: ServeOptions) {
  const { mode, days } = config.enrolment
  const whom =
    mode === 'open' ? 'enrolment is open: this server certifies whoever asks' : 'this server holds the enrolment key itself'
  options.warn(`${whom}, which protects updates from an honest-but-curious server only`)
  return { seed: await serverKey(config, options, 'enrolment.key'), check: await enrolmentCheck(config), days }
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
