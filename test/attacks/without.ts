import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Plugin } from 'vite'
import { type Defence, defences, type Edit } from './defences.ts'

export type Testing = typeof import('@fedweave/aggregator/testing')

const SOURCES = fileURLToPath(new URL('../../aggregator/src/', import.meta.url))
const QUERY = '?without='

/**
 * The aggregator's testing module on top of sources that lack these defences: the control of an attack. Everything else is
 * the code as it is.
 */
export async function without(...names: readonly Defence[]): Promise<Testing> {
  return await import(/* @vite-ignore */ `${SOURCES}testing/index.ts${QUERY}${names.join('+')}`)
}

/** Serves `without`: a module that is asked for under its query passes the query on to all of the aggregator that it imports. */
export function defenceSwitches(): Plugin {
  return {
    name: 'defence-switches',
    enforce: 'pre',
    async resolveId(specifier, importer) {
      const names = importer?.split(QUERY)[1]
      if (names === undefined || specifier.includes(QUERY)) return undefined
      const resolved = await this.resolve(specifier, importer?.split(QUERY)[0], { skipSelf: true })
      return resolved?.id.startsWith(SOURCES) ? `${resolved.id}${QUERY}${names}` : resolved
    },
    load(id) {
      const [path, names] = id.split(QUERY)
      if (path === undefined || names === undefined) return undefined
      const file = path.slice(SOURCES.length)
      return names.split('+').reduce((source, name) => strip(source, file, name as Defence), readFileSync(path, 'utf8'))
    },
  }
}

function strip(source: string, file: string, name: Defence): string {
  const edits: readonly Edit[] = defences[name]
  return edits.reduce((code, [where, passage, instead]) => {
    if (where !== file) return code
    if (code.split(passage).length !== 2) throw new Error(`${name}: ${file} does not hold this passage once: ${passage}`)
    return code.replace(passage, () => instead)
  }, source)
}
