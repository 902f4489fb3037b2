#!/usr/bin/env node
// In the checkout the commands run from their TypeScript sources; in the published package from dist.
import { existsSync } from 'node:fs'
import { register } from 'node:module'

const source = new URL('../src/cli.ts', import.meta.url)
const entry = existsSync(source) ? source : new URL('../dist/src/cli.js', import.meta.url)
if (entry === source) {
  const tsx = await import('tsx/esm/api')
  tsx.register()
  // Packages of this workspace name their sources under the export condition "source".
  const hook = "export const resolve = (s, c, next) => next(s, { ...c, conditions: [...c.conditions, 'source'] })"
  register(`data:text/javascript,${encodeURIComponent(hook)}`)
}
const { main } = await import(entry.href)
process.exitCode = await main(process.argv.slice(2))
