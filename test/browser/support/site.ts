import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build, type Rolldown } from 'vite'

const WASM = dirname(createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm/package.json'))

const TYPES: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  wasm: 'application/wasm',
}

/** WebAssembly and nothing else may be compiled: no `eval`, no script from elsewhere, none in the page itself. */
export const STRICT_CSP =
  "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; connect-src 'self' ws:; img-src 'self' data:"

export interface Site {
  readonly url: string
  close(): Promise<void>
}

/** A site's files by their paths. */
export type Files = Map<string, string | Uint8Array>

/** Bundles the page in `folder`, beside this one, from the sources, as an app's bundler would, and serves it with `data` on a free port of this machine. */
export async function serveSite(data: Readonly<Record<string, ArrayBufferView>>, folder = 'page'): Promise<Site> {
  const files = await bundle(folder)
  addData(files, data)
  const server = createServer((request, response) => void respond(files, request, response))
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

export function addData(files: Files, data: Readonly<Record<string, ArrayBufferView>>): void {
  for (const [name, { buffer, byteOffset, byteLength }] of Object.entries(data))
    files.set(`/data/${name}`, new Uint8Array(buffer, byteOffset, byteLength))
}

export async function bundle(folder: string): Promise<Files> {
  const conditions = ['source', 'module', 'browser', 'default']
  const built = (await build({
    root: fileURLToPath(new URL(`../${folder}`, import.meta.url)),
    configFile: false,
    logLevel: 'error',
    resolve: { conditions },
    worker: { format: 'es' },
    build: { write: false, minify: false, modulePreload: false, chunkSizeWarningLimit: 10_000 },
  })) as Rolldown.RolldownOutput
  return new Map(built.output.map((file) => [`/${file.fileName}`, file.type === 'chunk' ? file.code : file.source]))
}

/** Answers from `files`, and with TensorFlow.js's binaries below `/wasm/`. */
export async function respond(
  files: Files,
  { url = '/' }: IncomingMessage,
  response: ServerResponse,
  csp = STRICT_CSP,
): Promise<void> {
  const path = url === '/' ? '/index.html' : url
  const type = TYPES[path.split('.').at(-1) as string] ?? 'application/octet-stream'
  const body = files.get(path) ?? (path.startsWith('/wasm/') ? await readFile(join(WASM, 'dist', basename(path))) : undefined)
  const headers = { 'content-type': body === undefined ? 'text/plain' : type, 'content-security-policy': csp }
  response.writeHead(body === undefined ? 404 : 200, headers).end(body ?? 'not here')
}
