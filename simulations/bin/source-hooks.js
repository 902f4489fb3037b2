// Module hooks of the checkout. Packages of this workspace name their sources under the export condition "source".
// A start loads hundreds of files of other packages: those that say by their name that they are ES modules need nobody's
// resolution and no compiler, which takes a third of a second off it.
import { readFileSync } from 'node:fs'

const isForeign = (url) => url?.includes('/node_modules/')

export function resolve(specifier, context, next) {
  if (isForeign(context.parentURL) && /^\.\.?\/.*\.mjs$/.test(specifier))
    return { url: new URL(specifier, context.parentURL).href, format: 'module', shortCircuit: true }
  return next(specifier, { ...context, conditions: [...context.conditions, 'source'] })
}

export function load(url, context, next) {
  if (isForeign(url) && url.endsWith('.mjs')) return { format: 'module', source: readFileSync(new URL(url)), shortCircuit: true }
  return next(url, context)
}
