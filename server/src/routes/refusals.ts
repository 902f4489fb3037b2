import { Type } from 'typebox'

/** The one form of every refusal; `docs/reference/errors.md` lists the codes. */
const refusal = Type.Object(
  { error: Type.Object({ code: Type.String(), message: Type.String(), cure: Type.String() }) },
  { title: 'Refusal', description: 'What happened, and what the reader can do about it; the code is stable.' },
)

/** The response schemas of the refusals of a route: those that every route has, and these. */
export function refusals(...statuses: readonly number[]): Record<number, typeof refusal> {
  return Object.fromEntries([403, 429, 500, ...statuses].map((status) => [status, refusal]))
}

/** The response schema of what is no JSON. */
export function contentOf(type: string, description: string) {
  return { description, content: { [type]: { schema: Type.Unsafe<unknown>({ type: 'string' }) } } }
}
