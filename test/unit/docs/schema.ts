import { Type } from 'typebox'

/** The part of a TypeBox schema that the pages of the reference show. */
export interface Schema {
  readonly type?: string
  readonly properties?: Readonly<Record<string, Schema>>
  readonly anyOf?: readonly Schema[]
  readonly const?: string
  readonly minimum?: number
  readonly exclusiveMinimum?: number
  readonly maximum?: number
  readonly minItems?: number
  readonly maxItems?: number
  readonly default?: unknown
}

export interface Field {
  readonly path: string
  readonly schema: Schema
  readonly optional: boolean
}

/** Every field below an object schema that holds a value itself, by its dotted path; optional also where its object is. */
export function fieldsOf(schema: Schema, prefix = '', optional = false): Field[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, field]): Field[] => {
    const path = `${prefix}${name}`
    const mayLack = optional || Type.IsOptional(field as never)
    const objects = [field, ...(field.anyOf ?? [])].filter(({ properties }) => properties !== undefined)
    if (objects.length === 0) return [{ path, schema: field, optional: mayLack }]
    return objects.flatMap((object) => fieldsOf(object, `${path}.`, mayLack))
  })
}

/** The cells "type", "range" and "default" of a field; a range that no number bounds is left to the page. */
export function cellsOf({ schema, optional }: Field): { type: string; range: string | undefined; default: string } {
  const missing = optional ? 'none' : 'required'
  return { type: typeOf(schema), range: rangeOf(schema), default: schema.default === undefined ? missing : show(schema.default) }
}

function typeOf({ type }: Schema): string {
  if (type === 'array') return 'list'
  return type === 'integer' || type === 'number' || type === 'boolean' ? type : 'text'
}

function rangeOf({ anyOf, minimum, exclusiveMinimum, maximum, minItems, maxItems }: Schema): string | undefined {
  if (anyOf !== undefined) return anyOf.map((choice) => show(choice.const)).join(' or ')
  if (minItems !== undefined) return `${show(minItems)} to ${show(maxItems)}`
  if (exclusiveMinimum !== undefined) return `above ${show(exclusiveMinimum)}, at most ${show(maximum)}`
  return minimum === undefined ? undefined : `${show(minimum)} to ${show(maximum)}`
}

function show(value: unknown): string {
  if (typeof value === 'number') return value.toLocaleString('en', { maximumFractionDigits: 6 })
  return `\`${Array.isArray(value) ? JSON.stringify(value) : String(value)}\``
}
