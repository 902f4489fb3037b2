import { readFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { FedweaveError } from '@fedweave/aggregator'
import { referenceCnn } from '@fedweave/client/reference-model'
import { parse as parseYaml } from 'yaml'

/** The model that needs no file. */
const REFERENCE = 'reference-cnn'

/**
 * A task from a YAML or JSON file, as the API takes it: the files that its model names are read, relative to it. Throws
 * `FL_CONFIG_INVALID`; all that is not about files, the server checks.
 */
export async function readTask(path: string): Promise<Record<string, unknown>> {
  const task = parse(await read(path, path), path)
  if (typeof task.model !== 'object' || task.model === null) return task
  const model = { ...task.model } as Record<string, unknown>
  const at = (file: unknown) => resolve(dirname(path), String(file))
  if (model.name !== undefined) {
    if (model.name !== REFERENCE || model.topology !== undefined)
      throw new FedweaveError('FL_CONFIG_INVALID', `model.name: the only one is ${REFERENCE}, which needs no topology`)
    const { name: _, seed = 1, ...rest } = model
    if (typeof seed !== 'number') throw new FedweaveError('FL_CONFIG_INVALID', 'model.seed: expected an integer')
    return { ...task, model: { ...rest, topology: referenceCnn(seed) } }
  }
  if (model.topology !== undefined) model.topology = (await read(at(model.topology), path)).toString()
  if (model.initialWeights !== undefined) model.initialWeights = (await read(at(model.initialWeights), path)).toString('base64')
  return { ...task, model }
}

async function read(path: string, from: string): Promise<Buffer> {
  try {
    return await readFile(path)
  } catch (cause) {
    const which = path === from ? '' : `, which ${from} names`
    throw new FedweaveError('FL_CONFIG_INVALID', `cannot read ${path}${which}`, { cause })
  }
}

function parse(bytes: Buffer, path: string): Record<string, unknown> {
  let task: unknown
  try {
    task = parseYaml(bytes.toString())
  } catch (cause) {
    const why = (cause as Error).message.split('\n')[0]
    throw new FedweaveError('FL_CONFIG_INVALID', `cannot read the task ${path}: ${why}`, { cause })
  }
  if (typeof task === 'object' && task !== null && !Array.isArray(task)) return task as Record<string, unknown>
  throw new FedweaveError('FL_CONFIG_INVALID', `the task ${path} holds no fields`)
}
