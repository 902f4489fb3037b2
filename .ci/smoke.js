// Tries what would be published, as somebody who installs it meets it: packs the built packages, unpacks them into an
// empty folder beside their dependencies (without tsx, TypeScript and the other tools of this checkout), loads every
// entry point, and starts a server from the command line.
import { spawn, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const packages = ['aggregator', 'client-sdk', 'server', 'simulations'].map((folder) => {
  const manifest = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'))
  return { folder, name: manifest.name, entries: Object.keys(manifest.exports) }
})
const site = mkdtempSync(join(tmpdir(), 'fedweave-smoke-'))

try {
  install()
  loadEntryPoints()
  await startServer()
} catch (error) {
  console.error(`smoke: ${error.message}`)
  process.exitCode = 1
} finally {
  rmSync(site, { recursive: true })
}

function install() {
  const modules = join(site, 'node_modules')
  const tools = Object.keys(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).devDependencies)
  for (const name of installed().filter((name) => !tools.includes(name))) {
    mkdirSync(join(modules, name, '..'), { recursive: true })
    symlinkSync(join(root, 'node_modules', name), join(modules, name))
  }
  for (const { folder, name } of packages) {
    const target = join(modules, name)
    mkdirSync(target, { recursive: true })
    const tarball = run('npm', ['pack', '--silent', '--pack-destination', site], join(root, folder)).trim()
    run('tar', ['-xzf', join(site, tarball), '-C', target, '--strip-components=1'], site)
  }
  writeFileSync(join(site, 'package.json'), '{ "type": "module" }\n')
}

/** Names of the installed packages, scoped ones included, but for those of this workspace. */
function installed() {
  const modules = join(root, 'node_modules')
  return readdirSync(modules)
    .filter((name) => !name.startsWith('.') && name !== '@fedweave')
    .flatMap((name) => (name.startsWith('@') ? readdirSync(join(modules, name)).map((inner) => `${name}/${inner}`) : name))
}

function loadEntryPoints() {
  const names = packages.flatMap(({ name, entries }) => entries.map((entry) => join(name, entry)))
  const script = names.map((name) => `await import(${JSON.stringify(name)})`).join('\n')
  run(process.execPath, ['--input-type=module', '--eval', script], site)
  console.log(`loaded ${names.join(', ')}`)
}

async function startServer() {
  const bin = join(site, 'node_modules/@fedweave/simulations/bin/fedweave.js')
  const args = [bin, 'serve', '--port', '0', '--data', join(site, 'data'), '--log', 'error', '--json']
  const server = spawn(process.execPath, args, { cwd: site, stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = new Promise((resolve) => server.once('exit', resolve))
  const lines = createInterface({ input: server.stdout })[Symbol.asyncIterator]()
  const { value: line } = await lines.next()
  if (line === undefined) throw new Error(`the server ended with code ${await ended} before it listened`)
  const { url } = JSON.parse(line)
  const { tasks } = await (await fetch(`${url}/v1/tasks`)).json()
  console.log(`a server from the packed files offers ${tasks.map(({ id }) => id).join(', ')}`)
  server.kill('SIGTERM')
  const code = await ended
  if (code !== 0 || tasks.length === 0) throw new Error(`the server ended with code ${code}`)
}

function run(command, args, cwd) {
  const { status, stdout, error } = spawnSync(command, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] })
  if (status !== 0) throw error ?? new Error(`${command} ${args[0]} ended with code ${status}`)
  return stdout
}
