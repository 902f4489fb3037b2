import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { isAbsolute, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { FedweaveError } from '@fedweave/aggregator'
import { checkEvaluationData, type EvaluationData } from './data.ts'
import { parseJsonData } from './json-data.ts'

/**
 * Where held-out data come from: a JSON file as `parseJsonData` reads it, or a module that exports `evaluationData()`,
 * which returns `EvaluationData` or a promise of it. A module is a `file:` URL, a path, or a package's name. Relative paths and
 * packages are looked up from the folder that the server was started in.
 */
export type EvaluationSource = { readonly file: string } | { readonly module: string }

/** Throws `FL_CONFIG_INVALID` when there is nothing to read, else as `checkEvaluationData` does. */
export async function loadEvaluationData(source: EvaluationSource): Promise<EvaluationData> {
  if ('file' in source) return parseJsonData(await readText(source.file), source.file)
  return checkEvaluationData(await callModule(source.module), source.module)
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (cause) {
    throw new FedweaveError('FL_CONFIG_INVALID', `evaluation.file: ${(cause as Error).message}`, { cause })
  }
}

async function callModule(module: string): Promise<EvaluationData> {
  try {
    const { evaluationData } = await import(locate(module))
    if (typeof evaluationData !== 'function') throw new Error('it exports no function `evaluationData`')
    return await evaluationData()
  } catch (cause) {
    if (cause instanceof FedweaveError) throw cause
    throw new FedweaveError('FL_CONFIG_INVALID', `evaluation.module: ${module} gives no data: ${(cause as Error).message}`, {
      cause,
    })
  }
}

function locate(module: string): string {
  if (module.startsWith('file:')) return module
  if (isAbsolute(module) || /^\.{1,2}[/\\]/.test(module)) return pathToFileURL(resolve(module)).href
  return pathToFileURL(createRequire(join(process.cwd(), 'from-here.js')).resolve(module)).href
}
