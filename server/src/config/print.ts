import { stringify } from 'yaml'
import { SECRET_FIELDS } from './schema.ts'

const REDACTED = '(redacted)'

/** The whole config with its defaults, as YAML that the server takes back, apart from its secrets. */
export function printConfig(config: object): string {
  return stringify(redacted(config))
}

/** The same without secrets: neither the fields that hold one, nor a password in a URL. */
export function redacted(config: object): unknown {
  return JSON.parse(
    JSON.stringify(config, (name, value: unknown) => {
      if (SECRET_FIELDS.includes(name)) return REDACTED
      return typeof value === 'string' ? value.replace(/^(https?:\/\/)[^/@\s]+@/, `$1${REDACTED}@`) : value
    }),
  ) as unknown
}
