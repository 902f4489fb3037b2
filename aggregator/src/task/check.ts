import { FedweaveError } from '../core/errors.ts'

/** Reads an untrusted value; `path` names the field in the error. Throws `FL_CONFIG_INVALID`. */
export type Check<T> = (raw: unknown, path: string) => T

export function invalid(path: string, expected: string, raw: unknown): FedweaveError {
  const got = raw === undefined ? 'nothing' : (JSON.stringify(raw) ?? typeof raw).slice(0, 80)
  return new FedweaveError('FL_CONFIG_INVALID', `${path}: expected ${expected}, got ${got}`)
}

export function integerIn(min: number, max: number): Check<number> {
  return (raw, path) => {
    if (typeof raw !== 'number' || !Number.isInteger(raw) || raw < min || raw > max)
      throw invalid(path, `an integer from ${min} to ${max}`, raw)
    return raw
  }
}

/** `min` itself is refused when `open` is true. */
export function numberIn(min: number, max: number, open = false): Check<number> {
  return (raw, path) => {
    if (typeof raw !== 'number' || !(open ? raw > min : raw >= min) || !(raw <= max)) {
      throw invalid(path, `a number ${open ? 'above' : 'from'} ${min} ${open ? 'and at most' : 'to'} ${max}`, raw)
    }
    return raw
  }
}

export function oneOf<T extends string>(...choices: readonly T[]): Check<T> {
  return (raw, path) => {
    const found = choices.find((choice) => choice === raw)
    if (found === undefined) throw invalid(path, `one of ${choices.map((c) => JSON.stringify(c)).join(', ')}`, raw)
    return found
  }
}

export const flag: Check<boolean> = (raw, path) => {
  if (typeof raw !== 'boolean') throw invalid(path, 'true or false', raw)
  return raw
}

export const text =
  (min: number, max: number): Check<string> =>
  (raw, path) => {
    if (typeof raw !== 'string' || raw.length < min || raw.length > max)
      throw invalid(path, `text of ${min} to ${max} characters`, raw)
    return raw
  }

export const hex32: Check<string> = (raw, path) => {
  if (typeof raw !== 'string' || !/^[0-9a-f]{64}$/.test(raw)) throw invalid(path, '64 lowercase hex digits', raw)
  return raw
}

export function listOf<T>(item: Check<T>, min: number, max: number): Check<readonly T[]> {
  return (raw, path) => {
    if (!Array.isArray(raw) || raw.length < min || raw.length > max) throw invalid(path, `a list of ${min} to ${max} items`, raw)
    return raw.map((value, i) => item(value, `${path}[${i}]`))
  }
}

/** A field that may be left out; the result then lacks it, too. */
export interface Optional<T> {
  readonly optional: Check<T>
}

export const optional = <T>(check: Check<T>): Optional<T> => ({ optional: check })

type Fields = Record<string, Check<unknown> | Optional<unknown>>
type Required_<F> = {
  readonly [K in keyof F as F[K] extends Check<unknown> ? K : never]: F[K] extends Check<infer T> ? T : never
}
type Optional_<F> = {
  readonly [K in keyof F as F[K] extends Optional<unknown> ? K : never]?: F[K] extends Optional<infer T> ? T : never
}

/** Exactly these fields: an unknown one is an error, because a misspelt option must not be lost in silence. */
export function fields<F extends Fields>(shape: F): Check<Required_<F> & Optional_<F>> {
  return (raw, path) => {
    if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) throw invalid(path, 'an object', raw)
    const unknown = Object.keys(raw).find((key) => !Object.hasOwn(shape, key))
    if (unknown !== undefined) {
      throw new FedweaveError(
        'FL_CONFIG_INVALID',
        `${at(path, unknown)}: unknown field; known here: ${Object.keys(shape).join(', ')}`,
      )
    }
    const out: Record<string, unknown> = {}
    for (const [key, check] of Object.entries(shape)) {
      const value = Object.hasOwn(raw, key) ? (raw as Record<string, unknown>)[key] : undefined
      if (typeof check === 'function') out[key] = check(value, at(path, key))
      else if (value !== undefined) out[key] = check.optional(value, at(path, key))
    }
    return out as Required_<F> & Optional_<F>
  }
}

function at(path: string, key: string): string {
  return path === '' ? key : `${path}.${key}`
}
