import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { FedweaveError } from '@fedweave/aggregator'
import { loadOrCreateKey } from '@fedweave/aggregator/node'
import type { FastifyInstance, FastifyPluginAsync, FastifyServerOptions } from 'fastify'
import { type OperatorOptions, operatorKeyHash } from './access/operator.ts'
import type { EnrolmentConfig } from './config/schema.ts'

/** Routes beside the server's own, such as those of an app for its clients. */
export type ServerPlugin = FastifyPluginAsync

export interface ServeOptions {
  readonly logger?: FastifyServerOptions['logger']
  readonly warn: (message: string) => void
  readonly plugins?: readonly ServerPlugin[]
}

/** What a server and an enrolment service both are configured with. */
type Config = Pick<EnrolmentConfig, 'data' | 'listen' | 'trustProxy' | 'passphrase' | 'operator'>

/** The Ed25519 seed of that name in the data folder, made at the first start. Throws `FL_KEYSTORE`. */
export async function serverKey({ data, passphrase }: Config, { warn }: ServeOptions, name: string): Promise<Uint8Array> {
  const create = () => new Uint8Array(randomBytes(32))
  const { seed, warning } = await loadOrCreateKey(join(data, name), {
    create,
    ...(passphrase === undefined ? {} : { passphrase }),
  })
  if (warning !== undefined) warn(warning)
  return seed
}

/** Who is the operator. Throws `FL_KEYSTORE`. */
export async function operatorOf({ data, operator }: Config): Promise<OperatorOptions> {
  return { keyHash: await operatorKeyHash(data), ...(operator.jwt === undefined ? {} : { jwt: operator.jwt }) }
}

/** Listens and returns the URL; closes the app where that fails. Throws `FL_CONFIG_INVALID`. */
export async function listen(app: FastifyInstance, { listen: at, trustProxy }: Config, { warn }: ServeOptions): Promise<string> {
  const { host, port } = at
  if (!isLoopback(host) && trustProxy.length === 0)
    warn(`listening on ${host} without TLS: put a proxy that terminates TLS in front of it, and name it in \`trustProxy\``)
  try {
    return await app.listen({ host, port })
  } catch (cause) {
    await app.close()
    const why = (cause as NodeJS.ErrnoException).code === 'EADDRINUSE' ? 'the port is taken' : String(cause)
    throw new FedweaveError('FL_CONFIG_INVALID', `cannot listen on ${host}:${port}: ${why}`, {
      cause,
      cure: 'Choose another `listen.port`; 0 takes a free one.',
    })
  }
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host.startsWith('127.')
}
