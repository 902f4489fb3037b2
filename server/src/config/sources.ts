import { readFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { FedweaveError } from '@fedweave/aggregator'
import { parse as parseYaml } from 'yaml'
import { parseEnrolmentConfig, parseServerConfig } from './parse.ts'
import { type EnrolmentConfig, enrolmentConfig, SERVER_DATA, type ServerConfig, serverConfig } from './schema.ts'

type Raw = Record<string, unknown>

/** Where a config comes from; what stands later wins: file, environment, settings. */
export interface ConfigSources {
  /** YAML or JSON; paths in it are relative to it. */
  readonly file?: string
  /** `FEDWEAVE_LIMITS_BODY_BYTES=1024` sets `limits.bodyBytes`; a value is read as YAML. */
  readonly environment?: Readonly<Record<string, string | undefined>>
  /** Dotted paths of fields, from flags. */
  readonly settings?: Readonly<Record<string, unknown>>
  /** Makes the tasks where no source names any; `data` is the config's folder. */
  readonly tasks?: (data: string) => Promise<readonly unknown[]>
}

/** Variables of that prefix which are not fields of the config. */
const OTHER_VARIABLES = ['FEDWEAVE_DATA_DIR', 'FEDWEAVE_CHROMIUM', 'FEDWEAVE_SCHEDULES']

export interface Loaded<C> {
  readonly config: C
  /** Variables that look like fields and are none. */
  readonly unknownVariables: readonly string[]
}

/** Throws `FL_CONFIG_INVALID` naming the file or the field. */
export async function loadServerConfig(sources: ConfigSources): Promise<Loaded<ServerConfig>> {
  const { raw, unknownVariables } = await merge(serverConfig as Shape, sources)
  if (raw.tasks === undefined && sources.tasks !== undefined)
    raw.tasks = await sources.tasks(typeof raw.data === 'string' ? raw.data : SERVER_DATA)
  return { config: parseServerConfig(raw), unknownVariables }
}

/** Throws `FL_CONFIG_INVALID` naming the file or the field. */
export async function loadEnrolmentConfig(sources: ConfigSources): Promise<Loaded<EnrolmentConfig>> {
  const { raw, unknownVariables } = await merge(enrolmentConfig as Shape, sources)
  return { config: parseEnrolmentConfig(raw), unknownVariables }
}

/** What is needed of a schema to list its fields. */
interface Shape {
  readonly properties?: Readonly<Record<string, Shape>>
}

async function merge(schema: Shape, { file, environment = {}, settings = {} }: ConfigSources) {
  const raw: Raw = file === undefined ? {} : await readConfigFile(file)
  const fields = new Map(leaves(schema).map((path) => [variableOf(path), path]))
  const variables = Object.keys(environment).filter((name) => name.startsWith('FEDWEAVE_') && !OTHER_VARIABLES.includes(name))
  for (const name of variables) {
    const path = fields.get(name)
    if (path === undefined || environment[name] === '') continue
    set(raw, path, path === 'passphrase' ? environment[name] : parseYaml(environment[name] ?? ''))
  }
  for (const [path, value] of Object.entries(settings)) set(raw, path, value)
  return { raw, unknownVariables: variables.filter((name) => !fields.has(name)) }
}

/** `limits.bodyBytes` is `FEDWEAVE_LIMITS_BODY_BYTES`. */
export function variableOf(path: string): string {
  return `FEDWEAVE_${path
    .replaceAll('.', '_')
    .replace(/[A-Z]/g, (letter) => `_${letter}`)
    .toUpperCase()}`
}

function leaves({ properties = {} }: Shape, prefix = ''): string[] {
  return Object.entries(properties).flatMap(([name, field]) =>
    field.properties === undefined ? [`${prefix}${name}`] : leaves(field, `${prefix}${name}.`),
  )
}

function set(raw: Raw, path: string, value: unknown): void {
  const [name = '', ...rest] = path.split('.')
  if (name === '__proto__') throw new FedweaveError('FL_CONFIG_INVALID', `${name}: unknown field`)
  if (rest.length === 0) raw[name] = value
  else {
    const inner = raw[name]
    const next: Raw = typeof inner === 'object' && inner !== null ? { ...inner } : {}
    set(next, rest.join('.'), value)
    raw[name] = next
  }
}

async function readConfigFile(path: string): Promise<Raw> {
  let raw: unknown
  try {
    raw = parseYaml(await readFile(path, 'utf8')) ?? {}
  } catch (cause) {
    const why = cause instanceof Error ? cause.message.split('\n')[0] : String(cause)
    throw new FedweaveError('FL_CONFIG_INVALID', `cannot read the config ${path}: ${why}`, { cause })
  }
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw))
    throw new FedweaveError('FL_CONFIG_INVALID', `the config ${path} holds no fields`)
  return absolute(raw as Raw, (file) => resolve(dirname(path), file))
}

/** The same with the paths of files made absolute; what is no path yet is left for the schema to refuse. */
function absolute(raw: Raw, at: (file: string) => string): Raw {
  const file = (value: unknown) => (typeof value === 'string' ? at(value) : value)
  const within = (value: unknown, change: (inner: Raw) => Raw) =>
    typeof value === 'object' && value !== null && !Array.isArray(value) ? change(value as Raw) : value
  const change = (object: Raw, name: string, to: (value: unknown) => unknown): Raw =>
    Object.hasOwn(object, name) ? { ...object, [name]: to(object[name]) } : object
  const jwt = (value: unknown) => within(value, (inner) => change(inner, 'jwt', keySet))
  const keySet = (value: unknown) =>
    within(value, (inner) =>
      change(inner, 'jwks', (jwks) => (typeof jwks === 'string' && /^https?:/.test(jwks) ? jwks : file(jwks))),
    )
  const task = (value: unknown) =>
    within(value, (inner) => {
      const model = change(inner, 'model', (of) => within(of, (m) => change(change(m, 'topology', file), 'initialWeights', file)))
      return change(model, 'evaluation', (of) =>
        within(of, (e) => change(change(e, 'file', file), 'module', (name) => (/^[./]/.test(String(name)) ? file(name) : name))),
      )
    })
  const tasks = (value: unknown) => (Array.isArray(value) ? value.map(task) : value)
  return change(change(change(change(raw, 'data', file), 'enrolment', jwt), 'operator', jwt), 'tasks', tasks)
}
