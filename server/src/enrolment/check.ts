import { join } from 'node:path'
import type { EnrolmentConfig } from '../config/schema.ts'
import { type EnrolmentCheck, openToAll } from './desk.ts'
import { jwtCheck } from './jwt-check.ts'
import { TokenBook } from './tokens.ts'

/** Where the invite tokens of a data folder are. */
export function tokenBook(data: string): TokenBook {
  return new TokenBook(join(data, 'tokens'))
}

/** Who may enrol, as a config says. Throws `FL_CONFIG_INVALID` for a key set that cannot be used. */
export async function enrolmentCheck({ data, enrolment }: Pick<EnrolmentConfig, 'data' | 'enrolment'>): Promise<EnrolmentCheck> {
  if (enrolment.mode === 'token') return tokenBook(data)
  return enrolment.jwt === undefined ? openToAll : jwtCheck(enrolment.jwt, join(data, 'subjects'))
}
