import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { TINY_TOPOLOGY } from '../integration/support.ts'
import { fedweave, serveProcess } from './run-cli.ts'

/** A proxy of the guide: a program of the machine, not of this project. */
interface Proxy {
  readonly program: string
  readonly version: string
  /** The guide's example, made to listen on `port` with this certificate before `upstream`: what to write, and how to start it. */
  configure(at: Place): { readonly file: string; readonly text: string; readonly args: readonly string[] }
}

interface Place {
  readonly folder: string
  readonly port: number
  readonly upstream: string
  readonly pem: string
  readonly key: string
}

const PROXIES: Readonly<Record<string, Proxy>> = {
  nginx: {
    program: process.env.NGINX ?? 'nginx',
    version: '-v',
    configure({ folder, port, upstream, pem, key }) {
      const site = example('nginx', 'server {')
        .replace('listen 443 ssl', `listen 127.0.0.1:${port} ssl`)
        .replace('/etc/ssl/fl.example.org.pem', pem)
        .replace('/etc/ssl/fl.example.org.key', key)
        .replace('127.0.0.1:8080', upstream)
      const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${folder}/${name};`)
      const http = `access_log ${folder}/access.log;\n${temporary.join('\n')}\n${site}`
      return {
        file: 'nginx.conf',
        text: `daemon off; pid ${folder}/nginx.pid; error_log ${folder}/error.log;\nevents {}\nhttp { ${http} }`,
        args: ['-p', folder, '-c', join(folder, 'nginx.conf'), '-e', join(folder, 'error.log')],
      }
    },
  },
  caddy: {
    program: process.env.CADDY ?? 'caddy',
    version: 'version',
    configure({ folder, port, upstream, pem, key }) {
      const site = example('text', 'reverse_proxy')
        .replace('fl.example.org {', `https://localhost:${port} {\n  bind 127.0.0.1\n  tls ${pem} ${key}`)
        .replace('127.0.0.1:8080', upstream)
      const text = `{\n  admin off\n  auto_https disable_redirects\n}\n${site}`
      return { file: 'Caddyfile', text, args: ['run', '--adapter', 'caddyfile', '--config', join(folder, 'Caddyfile')] }
    },
  },
}

function example(language: string, holds: string): string {
  const page = readFileSync(fileURLToPath(new URL('../../docs/guide/operate.md', import.meta.url)), 'utf8')
  const blocks = [...page.matchAll(/```(\w+)\n(.*?)```/gs)].flatMap(([, of, text = '']) => (of === language ? [text] : []))
  const found = blocks.find((text) => text.includes(holds))
  if (found === undefined) throw new Error(`the guide has no example with ${holds}`)
  return found
}

function runs(program: string, version: string): boolean {
  return spawnSync(program, [version]).status === 0
}

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fedweave-proxy-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  return port
}

describe.each(Object.entries(PROXIES))('%s', (name, proxy) => {
  const here = runs(proxy.program, proxy.version) && runs('openssl', 'version')
  if (!here) console.warn(`skipped: the guide's ${name} needs ${name} (or its path in ${name.toUpperCase()}) and openssl`)

  test.skipIf(!here)('through the TLS proxy of the guide three clients finish a task', () => threeClientsThrough(proxy))
})

async function threeClientsThrough(proxy: Proxy): Promise<void> {
  const [key, pem] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost', '-days', '1']
  execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', key, '-out', pem, ...subject], {
    stdio: 'ignore',
  })
  await writeFile(join(folder, 'tiny.json'), TINY_TOPOLOGY)
  await writeFile(
    join(folder, 'data.mjs'),
    'export const dataset = () => ({ xs: new Float32Array(40).fill(0.5), shape: [4], labels: Int32Array.from({ length: 10 }, (_, i) => i % 3), classes: 3 })',
  )
  const tasks = [{ id: 'tiny', model: { topology: 'tiny.json' }, rounds: 2, cohort: { minimum: 3, target: 3 } }]
  const config = join(folder, 'server.json')
  await writeFile(config, JSON.stringify({ data: 'server', trustProxy: ['127.0.0.1'], tasks }))
  const server = await serveProcess('--config', config)
  const port = await freePort()

  const { file, text, args } = proxy.configure({ folder, port, upstream: new URL(server.url).host, pem, key })
  await writeFile(join(folder, file), text)
  const running = spawn(proxy.program, args, { stdio: 'inherit', env: { ...process.env, HOME: folder } })
  const ended = once(running, 'exit')
  const url = `https://localhost:${port}`
  process.env.NODE_EXTRA_CA_CERTS = pem
  try {
    const runs = await Promise.all(
      ['a', 'b', 'c'].map((name) =>
        fedweave('client', url, '--task', 'tiny', '--dataset', join(folder, 'data.mjs'), '--store', join(folder, name), '--json'),
      ),
    )
    expect(runs.map(({ code, json, stderr }) => [code, json.rounds, code === 0 ? '' : stderr])).toEqual(Array(3).fill([0, 2, '']))
  } finally {
    delete process.env.NODE_EXTRA_CA_CERTS
    running.kill('SIGTERM')
    await ended
    expect(await server.stop()).toBe(0)
  }
}
