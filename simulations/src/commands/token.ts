import { FedweaveError } from '@fedweave/aggregator'
import { MOST_TOKEN_USES, type TokenInfo, tokenBook } from '@fedweave/server'
import type { Action } from './action.ts'
import { integerOption } from './output.ts'

const UNITS = { m: 60_000, h: 3_600_000, d: 86_400_000 } as const

/** `fedweave token create`: the one time at which the token is shown. */
export const create: Action = async (options) => {
  const uses = integerOption('uses', options.uses, 1, MOST_TOKEN_USES)
  const wanted = {
    uses,
    ...(options.expires === undefined ? {} : { expiresAt: Date.now() + duration(options.expires) }),
    ...(typeof options.label === 'string' ? { label: options.label } : {}),
  }
  const made = await bookOf(options).create(wanted)
  if (options.json === true) console.log(JSON.stringify({ ...made, ...wanted }))
  else console.log(made.token)
  return 0
}

/** `fedweave token list`. */
export const list: Action = async (options) => {
  const tokens = await bookOf(options).list()
  if (options.json === true) console.log(JSON.stringify({ tokens }))
  else if (tokens.length === 0) console.log('no tokens')
  else for (const token of tokens) console.log(line(token))
  return 0
}

/** `fedweave token revoke <id>`. */
export const revoke: Action = async (options, [id = '']) => {
  await bookOf(options).revoke(id)
  console.log(options.json === true ? JSON.stringify({ id, revoked: true }) : `revoked ${id}`)
  return 0
}

function bookOf({ data }: Record<string, unknown>) {
  return tokenBook(String(data))
}

function line({ id, uses, used, expiresAt, revoked, label }: TokenInfo): string {
  const end = revoked ? 'revoked' : expiresAt === undefined ? 'no end' : `until ${new Date(expiresAt).toISOString()}`
  return [id, `${used}/${uses} used`, end, ...(label === undefined ? [] : [JSON.stringify(label)])].join('  ')
}

/** `90m`, `12h` or `7d`, in milliseconds. */
function duration(raw: unknown): number {
  const [, count, unit] = /^(\d{1,5})([mhd])$/.exec(String(raw)) ?? []
  if (count === undefined) throw new FedweaveError('FL_USAGE', `--expires takes 90m, 12h or 7d, got ${JSON.stringify(raw)}`)
  return Number(count) * UNITS[unit as keyof typeof UNITS]
}
