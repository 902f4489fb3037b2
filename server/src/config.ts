import { readFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { FedweaveError } from '@fedweave/aggregator'
import { type Static, type TSchema, Type } from 'typebox'
import { Value } from 'typebox/value'
import { parse as parseYaml } from 'yaml'
import { taskSpec } from './task-spec.ts'

const strict = { additionalProperties: false }

const taskEntry = Type.Object(
  {
    ...taskSpec.properties,
    model: Type.Object(
      {
        /** Path of the model's TensorFlow.js layers JSON. */
        topology: Type.String({ minLength: 1 }),
        /** Path of the weights to begin with: little-endian float32. Absent: what the topology's seeded initialisers give. */
        initialWeights: Type.Optional(Type.String({ minLength: 1 })),
      },
      strict,
    ),
  },
  strict,
)

const serverConfig = Type.Object(
  {
    listen: Type.Object(
      {
        host: Type.String({ default: '127.0.0.1' }),
        port: Type.Integer({ minimum: 0, maximum: 65_535, default: 8080 }),
      },
      { ...strict, default: {} },
    ),
    /** Folder of keys, journals and checkpoints. */
    data: Type.String({ default: '.fedweave/server' }),
    enrolment: Type.Object(
      {
        /** Hex of the public key that certifies clients. Absent: the server certifies whoever asks. */
        key: Type.Optional(Type.String({ pattern: '^[0-9a-f]{64}$' })),
      },
      { ...strict, default: {} },
    ),
    uploads: Type.Object(
      {
        slots: Type.Integer({ minimum: 1, maximum: 1000, default: 16 }),
        deadlineMs: Type.Integer({ minimum: 1000, maximum: 3_600_000, default: 120_000 }),
        minimumBytesPerSecond: Type.Integer({ minimum: 1, maximum: 1e9, default: 1024 }),
      },
      { ...strict, default: {} },
    ),
    /** How long a client whose connection broke is waited for, in milliseconds. */
    reconnectMs: Type.Integer({ minimum: 0, maximum: 600_000, default: 3000 }),
    tasks: Type.Array(taskEntry, { minItems: 1, maxItems: 100 }),
  },
  strict,
)

export type ServerConfig = Static<typeof serverConfig>

/** Fills in the defaults and checks every field. Throws `FL_CONFIG_INVALID` naming the first that is wrong. */
export function parseServerConfig(raw: unknown): ServerConfig {
  return check(serverConfig, raw)
}

/** Reads a YAML or JSON file; paths in it are relative to it. Throws `FL_CONFIG_INVALID`. */
export async function readServerConfig(path: string): Promise<ServerConfig> {
  let raw: unknown
  try {
    raw = parseYaml(await readFile(path, 'utf8'))
  } catch (cause) {
    const why = cause instanceof Error ? cause.message.split('\n')[0] : String(cause)
    throw new FedweaveError('FL_CONFIG_INVALID', `cannot read the config ${path}: ${why}`, { cause })
  }
  const config = parseServerConfig(raw)
  const at = (file: string) => resolve(dirname(path), file)
  const tasks = config.tasks.map((task) => {
    const { topology, initialWeights } = task.model
    const model = { topology: at(topology), ...(initialWeights === undefined ? {} : { initialWeights: at(initialWeights) }) }
    if (task.evaluation === undefined) return { ...task, model }
    const { evaluation } = task
    return {
      ...task,
      model,
      evaluation: 'file' in evaluation ? { file: at(evaluation.file) } : { module: moduleAt(evaluation.module, at) },
    }
  })
  return { ...config, data: at(config.data), tasks }
}

/** A module is a package's export, or a file when it begins with a dot or a slash. */
function moduleAt(specifier: string, at: (file: string) => string): string {
  return /^[./]/.test(specifier) ? at(specifier) : specifier
}

function check<S extends TSchema>(schema: S, raw: unknown): Static<S> {
  const value = Value.Default(schema, raw ?? {})
  const [error] = [...Value.Errors(schema, value)].sort((a, b) => b.instancePath.length - a.instancePath.length)
  if (error === undefined) return value as Static<S>
  const field = error.instancePath.slice(1).replaceAll('/', '.') || 'the config'
  const message = error.message === 'schema is false' ? 'unknown field' : error.message
  throw new FedweaveError('FL_CONFIG_INVALID', `${field}: ${message}`, {
    cure: 'Correct the named field; `docs/reference/server-config.md` lists them all.',
  })
}
