import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { TINY_TOPOLOGY } from '../integration/support.ts'
import { fedweave, serveProcess } from './run-cli.ts'

/** nginx and openssl are programs of the machine, not of this project: without them there is nothing to try. */
const NGINX = process.env.NGINX ?? 'nginx'
const here = [NGINX, 'openssl'].every((program) => spawnSync(program, program === 'openssl' ? ['version'] : ['-v']).status === 0)
if (!here) console.warn('skipped: the TLS proxy of the guide needs nginx (or its path in NGINX) and openssl')

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

test.skipIf(!here)('through the TLS proxy of the guide three clients finish a task', async () => {
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

  const page = readFileSync(fileURLToPath(new URL('../../docs/guide/operate.md', import.meta.url)), 'utf8')
  const [, example = ''] = /```nginx\n(.*?)```/s.exec(page) ?? []
  const site = example
    .replace('listen 443 ssl', `listen 127.0.0.1:${port} ssl`)
    .replace('/etc/ssl/fl.example.org.pem', pem)
    .replace('/etc/ssl/fl.example.org.key', key)
    .replace('127.0.0.1:8080', new URL(server.url).host)
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${folder}/${name};`)
  await writeFile(
    join(folder, 'nginx.conf'),
    `daemon off; pid ${folder}/nginx.pid; error_log ${folder}/error.log;\nevents {}\nhttp { access_log ${folder}/access.log;\n${temporary.join('\n')}\n${site}\n}`,
  )
  const nginx = spawn(NGINX, ['-p', folder, '-c', join(folder, 'nginx.conf'), '-e', join(folder, 'error.log')], {
    stdio: 'inherit',
  })
  const ended = once(nginx, 'exit')
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
    nginx.kill('SIGTERM')
    await ended
    expect(await server.stop()).toBe(0)
  }
})
