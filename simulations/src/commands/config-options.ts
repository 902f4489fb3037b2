import { FedweaveError } from '@fedweave/aggregator'
import { type ConfigSources, printConfig, redacted } from '@fedweave/server'
import { integerOption } from './output.ts'

/** The config options that `serve` and `enrol serve` share, as sources: flags win over the environment, that over the file. */
export function configSources(options: Record<string, unknown>): ConfigSources {
  const settings: Record<string, unknown> = {}
  for (const pair of Array.isArray(options.set) ? (options.set as readonly string[]) : []) {
    const [, path, value] = /^([A-Za-z][\w.]*)=(.*)$/s.exec(pair) ?? []
    if (path === undefined) throw new FedweaveError('FL_USAGE', `--set takes field=value, got ${JSON.stringify(pair)}`)
    settings[path] = parsed(value ?? '')
  }
  if (typeof options.host === 'string') settings['listen.host'] = options.host
  if (options.port !== undefined) settings['listen.port'] = integerOption('port', options.port, 0, 65_535)
  if (typeof options.data === 'string') settings.data = options.data
  return {
    environment: process.env,
    settings,
    ...(typeof options.config === 'string' ? { file: options.config } : {}),
  }
}

export function warn(message: string): void {
  console.error(`warning: ${message}`)
}

export function warnOfVariables(names: readonly string[]): void {
  for (const name of names) warn(`${name} names no field of the config`)
}

/** `--print-config`: YAML, or with `--json` one object. */
export function showConfig(config: object, json: boolean): void {
  console.log(json ? JSON.stringify(redacted(config)) : printConfig(config).trimEnd())
}

/** JSON where it is JSON, such as 5, true or ["a"]; else text. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return text
  }
}

const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'silent']

/** The structured log on stderr. Throws `FL_USAGE`. */
export function logger(raw: unknown): { readonly level: string; readonly stream: NodeJS.WriteStream } {
  const level = String(raw)
  if (!LEVELS.includes(level))
    throw new FedweaveError('FL_USAGE', `--log takes one of ${LEVELS.join(', ')}, got ${JSON.stringify(level)}`)
  return { level, stream: process.stderr }
}
