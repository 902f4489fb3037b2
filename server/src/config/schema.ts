import { type Static, Type } from 'typebox'
import { JWT_ALGORITHMS } from '../access/jwt.ts'
import { taskSpec } from '../task-spec.ts'
import { limits } from './limits.ts'

export const SERVER_DATA = '.fedweave/server'

const strict = { additionalProperties: false }
const block = { ...strict, default: {} }

const listenAt = (port: number) =>
  Type.Object(
    {
      host: Type.String({ minLength: 1, default: '127.0.0.1' }),
      port: Type.Integer({ minimum: 0, maximum: 65_535, default: port }),
    },
    block,
  )

const jwt = {
  /** Key set of the issuer: an https URL, or a file. */
  jwks: Type.String({ minLength: 1 }),
  issuer: Type.String({ minLength: 1 }),
  audience: Type.String({ minLength: 1 }),
  algorithm: Type.Union(
    JWT_ALGORITHMS.map((name) => Type.Literal(name)),
    { default: 'ES256' },
  ),
}

const mode = Type.Union([Type.Literal('open'), Type.Literal('token'), Type.Literal('jwt')], { default: 'open' })
const days = Type.Integer({ minimum: 1, maximum: 3650, default: 90 })
const enrolmentJwt = Type.Optional(
  Type.Object({ ...jwt, identities: Type.Integer({ minimum: 1, maximum: 1000, default: 1 }) }, strict),
)

/** What a server and an enrolment service have in common. */
const common = {
  /** Web origins besides the server's own whose pages may use it; `*` is any. */
  origins: Type.Array(Type.String({ pattern: '^(\\*|https?://[^/\\s]+)$' }), { minItems: 0, maxItems: 1000, default: [] }),
  /** Addresses or networks of the proxies whose `X-Forwarded-For` is believed. */
  trustProxy: Type.Array(Type.String({ minLength: 1 }), { minItems: 0, maxItems: 100, default: [] }),
  /** Encrypts the keys at rest. */
  passphrase: Type.Optional(Type.String({ minLength: 1 })),
  operator: Type.Object({ jwt: Type.Optional(Type.Object(jwt, strict)) }, block),
  limits,
}

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

export const serverConfig = Type.Object(
  {
    listen: listenAt(8080),
    /** Folder of keys, journals and checkpoints. */
    data: Type.String({ minLength: 1, default: SERVER_DATA }),
    enrolment: Type.Object(
      {
        /** Hex of the public key that certifies clients, held elsewhere. Absent: the server holds one itself. */
        key: Type.Optional(Type.String({ pattern: '^[0-9a-f]{64}$' })),
        /** Where clients enrol with that key. */
        url: Type.Optional(Type.String({ pattern: '^https?://' })),
        mode,
        days,
        jwt: enrolmentJwt,
      },
      block,
    ),
    ...common,
    /** How long a client whose connection broke is waited for, in milliseconds. */
    reconnectMs: Type.Integer({ minimum: 0, maximum: 600_000, default: 3000 }),
    /** Models of the last so many rounds that are kept, besides the initial one. */
    checkpoints: Type.Integer({ minimum: 1, maximum: 1_000_000, default: 10 }),
    tasks: Type.Array(taskEntry, { minItems: 1, maxItems: 100 }),
  },
  strict,
)

export type ServerConfig = Static<typeof serverConfig>

/** Of the process that holds the enrolment key and knows nothing of tasks. */
export const enrolmentConfig = Type.Object(
  {
    listen: listenAt(8081),
    /** Folder of the key and of the tokens. */
    data: Type.String({ minLength: 1, default: '.fedweave/enrolment' }),
    enrolment: Type.Object({ mode: Type.Union(mode.anyOf, { default: 'token' }), days, jwt: enrolmentJwt }, block),
    ...common,
  },
  strict,
)

export type EnrolmentConfig = Static<typeof enrolmentConfig>

/** Fields that are never shown. */
export const SECRET_FIELDS: readonly string[] = ['passphrase']
