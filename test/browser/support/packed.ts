import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build, type Rolldown } from 'vite'
import type { Files } from './site.ts'

const ROOT = fileURLToPath(new URL('../../..', import.meta.url))

/** The first example of the page about browsers. */
export function quickStart(): string {
  const [, code] = /```ts\n(.*?)```/s.exec(readFileSync(join(ROOT, 'docs/guide/browser.md'), 'utf8')) ?? []
  if (code === undefined) throw new Error('docs/guide/browser.md has no example')
  return code
}

/** `script` bundled as an app would that has installed what `npm pack` makes of the two packages, and nothing of their sources. */
export async function bundlePacked(script: string): Promise<Files> {
  const cache = join(ROOT, 'node_modules/.cache') // other packages are found from there
  mkdirSync(cache, { recursive: true })
  const folder = mkdtempSync(join(cache, 'fedweave-packed-'))
  try {
    execFileSync('npx', ['tsc', '-b', 'client-sdk'], { cwd: ROOT })
    for (const [from, name] of [
      ['aggregator', 'aggregator'],
      ['client-sdk', 'client'],
    ] as const) {
      const tarball = execFileSync('npm', ['pack', '--silent', '--pack-destination', folder], {
        cwd: join(ROOT, from),
        encoding: 'utf8',
      })
      const target = join(folder, 'node_modules/@fedweave', name)
      mkdirSync(target, { recursive: true })
      execFileSync('tar', ['-xzf', join(folder, tarball.trim()), '-C', target, '--strip-components=1'])
      rmSync(join(target, 'src'), { recursive: true })
    }
    writeFileSync(
      join(folder, 'index.html'),
      '<!doctype html><link rel="icon" href="data:,"><script type="module" src="./main.ts"></script>',
    )
    writeFileSync(join(folder, 'main.ts'), script)
    const common = { root: folder, configFile: false, logLevel: 'error', worker: { format: 'es' } } as const
    const built = (await build({ ...common, build: { write: false, target: 'es2022' } })) as Rolldown.RolldownOutput
    return new Map(built.output.map((file) => [`/${file.fileName}`, file.type === 'chunk' ? file.code : file.source]))
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** The folder for CDNs, built from the sources as they are. */
export async function buildCdn(): Promise<Files> {
  const configFile = join(ROOT, 'client-sdk/cdn/vite.config.ts')
  const built = (await build({ configFile, logLevel: 'error', build: { write: false } })) as Rolldown.RolldownOutput
  return new Map(built.output.map((file) => [`/${file.fileName}`, file.type === 'chunk' ? file.code : file.source]))
}
