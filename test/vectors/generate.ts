/**
 * Writes `docs/protocol/vectors`: node --conditions=source --import tsx test/vectors/generate.ts
 *
 * The files change only when the protocol does; a difference here is a difference on the wire.
 */
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { fileOf, VECTORS, type VectorName } from './build.ts'

const paths = (Object.keys(VECTORS) as VectorName[]).map((name) => {
  const path = fileURLToPath(fileOf(name))
  writeFileSync(path, `${JSON.stringify(VECTORS[name](), null, 2)}\n`)
  return path
})
const biome = fileURLToPath(new URL('../../node_modules/.bin/biome', import.meta.url))
const formatted = spawnSync(biome, ['format', '--write', ...paths], { stdio: 'inherit' })
process.exitCode = formatted.status ?? 1
