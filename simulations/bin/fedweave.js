#!/usr/bin/env node
// In the checkout the commands run from their TypeScript sources; in the published package from dist.
import { existsSync } from 'node:fs'
import { register } from 'node:module'

const inCheckout = existsSync(new URL('../tsconfig.json', import.meta.url)) // never published, as the sources are
const entry = new URL(inCheckout ? '../src/cli.ts' : '../dist/src/cli.js', import.meta.url)
if (inCheckout) {
  const tsx = await import('tsx/esm/api')
  tsx.register()
  register('./source-hooks.js', import.meta.url)
}
const { main } = await import(entry.href)
process.exitCode = await main(process.argv.slice(2))
