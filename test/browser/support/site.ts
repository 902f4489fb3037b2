import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build, type Rolldown } from 'vite'

const PAGE = fileURLToPath(new URL('../page', import.meta.url))
const WASM = dirname(createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm/package.json'))

const TYPES: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  wasm: 'application/wasm',
}

export interface Site {
  readonly url: string
  close(): Promise<void>
}

/** Bundles the page from the sources, as an app's bundler would, and serves it with `data` on a free port of this machine. */
export async function serveSite(data: Readonly<Record<string, ArrayBufferView>>): Promise<Site> {
  const files = await bundle()
  for (const [name, { buffer, byteOffset, byteLength }] of Object.entries(data)) {
    files.set(`/data/${name}`, new Uint8Array(buffer, byteOffset, byteLength))
  }
  const server = createServer((request, response) => {
    void respond(files, request.url ?? '/').then(({ status, type, body }) => {
      response.writeHead(status, { 'content-type': type }).end(body)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    async close() {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}

async function bundle(): Promise<Map<string, string | Uint8Array>> {
  const conditions = ['source', 'module', 'browser', 'default']
  const built = (await build({
    root: PAGE,
    configFile: false,
    logLevel: 'error',
    resolve: { conditions },
    worker: { format: 'es' },
    build: { write: false, minify: false, modulePreload: false, chunkSizeWarningLimit: 10_000 },
  })) as Rolldown.RolldownOutput
  return new Map(built.output.map((file) => [`/${file.fileName}`, file.type === 'chunk' ? file.code : file.source]))
}

async function respond(files: ReadonlyMap<string, string | Uint8Array>, url: string) {
  const path = url === '/' ? '/index.html' : url
  const type = TYPES[path.split('.').at(-1) as string] ?? 'application/octet-stream'
  const built = files.get(path)
  if (built !== undefined) return { status: 200, type, body: built }
  if (path.startsWith('/wasm/')) return { status: 200, type, body: await readFile(join(WASM, 'dist', basename(path))) }
  return { status: 404, type: 'text/plain', body: 'not here' }
}
