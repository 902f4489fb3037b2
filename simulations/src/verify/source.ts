import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { FedweaveError } from '@fedweave/aggregator'
import { readTaskFolder, type TaskStatus, tasksIn } from '@fedweave/server'
import { ask, baseOf, httpUrl } from '../commands/operator-api.ts'

/** A task's public log, and what else of the task is within reach. */
export interface Source {
  readonly signedConfig: Uint8Array
  readonly signedEntries: readonly Uint8Array[]
  /** Bytes by their SHA-256 in hex; undefined where they are kept no more, or not shown. Absent: only the log is there. */
  readonly kept?: {
    model(hash: string): Promise<Uint8Array | undefined>
    aggregate(hash: string): Promise<Uint8Array | undefined>
  }
}

export interface SourceOptions {
  /** The task, where there are several. */
  readonly task: unknown
  /** Of a server: also what it keeps besides the log. */
  readonly models: boolean
}

/** From a server's URL or that of a journal, a file with what the latter answers, a server's data folder or that of a task. */
export async function openSource(source: string, options: SourceOptions): Promise<Source> {
  if (/^https?:/.test(source)) return ofServer(httpUrl(source), options)
  const info = await stat(source).catch(() => undefined)
  return info?.isDirectory() ? ofFolder(source, options) : parse(await kept(source), source)
}

async function ofServer(url: URL, { task, models }: SourceOptions): Promise<Source> {
  const journal = url.pathname.endsWith('/journal') ? url : await journalOf(baseOf(url), task)
  const log = parse(await (await ask(journal)).json(), journal.href)
  const fetched = (kind: 'models' | 'aggregates') => async (hash: string) => {
    try {
      return new Uint8Array(await (await ask(new URL(`${kind}/${hash}`, journal))).arrayBuffer())
    } catch (error) {
      if (error instanceof FedweaveError && error.code === 'FL_MODEL_UNKNOWN') return undefined
      throw error
    }
  }
  return models ? { ...log, kept: { model: fetched('models'), aggregate: fetched('aggregates') } } : log
}

async function journalOf(base: URL, task: unknown): Promise<URL> {
  const { tasks } = (await (await ask(new URL('v1/tasks', base))).json()) as { tasks: readonly TaskStatus[] }
  const id = oneOf(
    tasks.map(({ id }) => id),
    task,
  )
  return new URL(`v1/tasks/${encodeURIComponent(id)}/journal`, base)
}

async function ofFolder(folder: string, { task }: SourceOptions): Promise<Source> {
  const tasks = await tasksIn(folder)
  const at = tasks.length === 0 ? folder : join(folder, 'tasks', oneOf(tasks, task))
  const { signedConfig, signedEntries, checkpoint } = await readTaskFolder(at)
  return { signedConfig, signedEntries, kept: { model: checkpoint, aggregate: checkpoint } }
}

function oneOf(tasks: readonly string[], task: unknown): string {
  const [only, ...others] = tasks
  if (typeof task === 'string' && tasks.includes(task)) return task
  if (task === undefined && only !== undefined && others.length === 0) return only
  const which = task === undefined ? 'name one of its tasks with --task' : `there is no task ${JSON.stringify(task)}`
  throw new FedweaveError('FL_USAGE', `${which}: ${tasks.join(', ')}`)
}

async function kept(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as unknown
  } catch (cause) {
    throw new FedweaveError('FL_USAGE', `cannot read a journal from ${path}: ${(cause as Error).message}`, { cause })
  }
}

function parse(raw: unknown, source: string): Source {
  const { config, entries } = (raw ?? {}) as { config?: unknown; entries?: unknown }
  if (typeof config !== 'string' || !Array.isArray(entries) || !entries.every((entry) => typeof entry === 'string'))
    throw new FedweaveError('FL_MESSAGE_MALFORMED', `${source} gives no journal: {"config","entries"} in base64`)
  return { signedConfig: bytesOf(config), signedEntries: entries.map(bytesOf) }
}

function bytesOf(base64: string): Uint8Array {
  return new Uint8Array(Buffer.from(base64, 'base64'))
}
