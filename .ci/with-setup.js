// Runs a command of the workspace after making sure that its packages are installed: what `npm run demo` and
// `npm test` need in a fresh clone. Everything it says goes to stderr, so that stdout stays the command's.
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const installed = `${root}node_modules/.package-lock.json`
const lock = `${root}package-lock.json`

if (!existsSync(installed) || statSync(installed).mtimeMs < statSync(lock).mtimeMs) {
  console.error('installing the packages of package-lock.json (once, about a minute)')
  const npm = spawnSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], { cwd: root, stdio: ['ignore', 2, 2] })
  if (npm.status !== 0) {
    console.error('npm ci failed: check that the package registry can be reached, then run the command again')
    process.exit(1)
  }
}

const [command, ...args] = process.argv.slice(2)
const entry = { fedweave: 'simulations/bin/fedweave.js', vitest: 'node_modules/vitest/vitest.mjs' }[command]
const child = spawn(process.execPath, [`${root}${entry}`, ...args], { cwd: root, stdio: 'inherit' })
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal))
child.on('exit', (code) => process.exit(code ?? 1))
