import { gzipSync } from 'node:zlib'
import { FedweaveError, toHex } from '@fedweave/aggregator'
import type { ServerPlugin } from '@fedweave/server'
import { MNIST_EXAMPLES, mnist } from '../data/mnist.ts'
import { iidShard } from '../partition/iid.ts'
import { builtApp } from './built.ts'
import { readSite, type SiteFile } from './site.ts'

/** Parts of MNIST's training half that the page lends to those who have no drawings. */
const SHARDS = 100
const SEED = 1

/** Scripts, workers and everything else from this server alone; WebAssembly may be compiled, and no text. */
const CSP = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "style-src 'self'",
  "font-src 'self'",
  "img-src 'self' data: blob:",
  "media-src 'self' blob:",
  "connect-src 'self'",
  "worker-src 'self'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join('; ')

const HEADERS = {
  'content-security-policy': CSP,
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'permissions-policy': 'camera=(self)',
}

/** These routes are a page's, and no part of the API that the server describes. */
const HIDDEN = { schema: { hide: true } as object } // a field of @fastify/swagger, which types are not loaded here

/** The example app for the task `task` below `/app/`, and what it asks for: the server's keys, and parts of MNIST. */
export async function appRoutes(task: string): Promise<ServerPlugin> {
  const files = await readSite(await builtApp())
  const shards = new Map<number, Buffer>()
  return async (app) => {
    app.get('/app', HIDDEN, async (_request, reply) => reply.redirect('/app/'))

    app.get('/app/config.json', HIDDEN, async (_request, reply) => {
      const { config } = app.hub.task(task).history
      reply.headers(HEADERS).header('cache-control', 'no-cache')
      return {
        task,
        operatorKey: toHex(app.hub.keys.operatorKey),
        enrolmentKey: config.enrolment.key,
        shards: { count: SHARDS, examples: MNIST_EXAMPLES.train / SHARDS },
      }
    })

    app.get<{ Params: { shard: string } }>('/app/mnist/:shard', HIDDEN, async ({ params }, reply) => {
      const shard = /^\d{1,2}$/.test(params.shard) ? Number(params.shard) : Number.NaN
      if (!(shard < SHARDS)) throw new FedweaveError('FL_OUT_OF_RANGE', `expected a shard from 0 to ${SHARDS - 1}`)
      const bytes = shards.get(shard) ?? shardBytes(shard)
      shards.set(shard, bytes)
      const headers = { ...HEADERS, 'content-encoding': 'gzip', 'cache-control': 'public, max-age=86400' }
      return reply.headers(headers).type('application/octet-stream').send(bytes)
    })

    app.get<{ Params: { '*': string } }>('/app/*', HIDDEN, async ({ params, headers }, reply) => {
      const file = files.get(params['*'] || 'index.html')
      if (file === undefined) return reply.callNotFound()
      const cache = file.forever ? 'public, max-age=31536000, immutable' : 'no-cache'
      reply.headers(HEADERS).headers({ etag: file.etag, 'cache-control': cache, vary: 'accept-encoding' })
      if (headers['if-none-match'] === file.etag) return reply.code(304).send()
      return reply
        .type(file.type)
        .send(encoded(file, headers['accept-encoding'], (name) => reply.header('content-encoding', name)))
    })
  }
}

function encoded(
  { bytes, gzipped }: SiteFile,
  accepted: string | string[] | undefined,
  named: (encoding: string) => void,
): Buffer {
  if (gzipped === undefined || !/\bgzip\b/.test(String(accepted))) return bytes
  named('gzip')
  return gzipped
}

/** All images of the shard as bytes, then a byte for each label; gzipped, since every browser takes that. */
function shardBytes(shard: number): Buffer {
  const { xs, labels } = mnist('train', iidShard(MNIST_EXAMPLES.train, { shard, of: SHARDS }, SEED))
  return gzipSync(Buffer.concat([Uint8Array.from(xs, (value) => Math.round(value * 255)), Uint8Array.from(labels)]))
}
