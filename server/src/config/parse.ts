import { FedweaveError } from '@fedweave/aggregator'
import type { Static, TSchema } from 'typebox'
import { Value } from 'typebox/value'
import { type EnrolmentConfig, enrolmentConfig, type ServerConfig, serverConfig } from './schema.ts'

/** Fills in the defaults and checks every field. Throws `FL_CONFIG_INVALID` naming the first that is wrong. */
export function parseServerConfig(raw: unknown): ServerConfig {
  const config = check(serverConfig, raw)
  const { key, url, mode } = config.enrolment
  if (url !== undefined && key === undefined)
    throw wrong('enrolment.url', 'goes with `enrolment.key`, the key that certifies there')
  if (key !== undefined && mode !== 'open')
    throw wrong('enrolment.mode', 'is a matter of the process that holds the key; leave it out where `enrolment.key` is given')
  checkJwt(config)
  return config
}

/** Throws `FL_CONFIG_INVALID`. */
export function parseEnrolmentConfig(raw: unknown): EnrolmentConfig {
  const config = check(enrolmentConfig, raw)
  checkJwt(config)
  return config
}

function checkJwt({
  enrolment,
  operator,
}: Pick<EnrolmentConfig, 'operator'> & { enrolment: EnrolmentConfig['enrolment'] }): void {
  if ((enrolment.mode === 'jwt') !== (enrolment.jwt !== undefined))
    throw wrong('enrolment.jwt', 'belongs to `enrolment.mode: jwt`, and is needed there')
  const same = operator.jwt?.issuer === enrolment.jwt?.issuer && operator.jwt?.audience === enrolment.jwt?.audience
  if (operator.jwt !== undefined && same)
    throw wrong('operator.jwt.audience', 'must differ from that of enrolment: a client would be the operator')
}

function wrong(field: string, message: string): FedweaveError {
  return new FedweaveError('FL_CONFIG_INVALID', `${field}: ${message}`, { cure: CURE })
}

/** Fills in the defaults. Throws `FL_CONFIG_INVALID` naming the first field that is wrong. */
export function check<S extends TSchema>(schema: S, raw: unknown): Static<S> {
  const value = Value.Default(schema, raw ?? {})
  const [error] = [...Value.Errors(schema, value)].sort((a, b) => b.instancePath.length - a.instancePath.length)
  if (error === undefined) return value as Static<S>
  const field = error.instancePath.slice(1).replaceAll('/', '.') || 'the config'
  throw wrong(field, error.message === 'schema is false' ? 'unknown field' : error.message)
}

const CURE = 'Correct the named field; `docs/reference/server-config.md` and `docs/reference/task-config.md` list them all.'
