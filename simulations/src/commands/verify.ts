import { readFile } from 'node:fs/promises'
import { FedweaveError, fromHex, verifyJournal } from '@fedweave/aggregator'
import { nodeCurves } from '@fedweave/aggregator/node'
import type { TaskStatus } from '@fedweave/server'
import type { Action } from './action.ts'
import { ask, baseOf, httpUrl } from './operator-api.ts'

/** A task's public log, as `GET /v1/tasks/:task/journal` gives it. */
interface Journal {
  readonly config: Uint8Array
  readonly entries: readonly Uint8Array[]
}

/** `fedweave verify <url|file>`: takes nothing on the server's word but its journal, which it checks against pinned keys. */
export const run: Action = async (options, [source = '']) => {
  const pins = {
    operatorKey: keyOption('operator-key', options.operatorKey),
    enrolmentKey: keyOption('enrolment-key', options.enrolmentKey),
  }
  const { config, entries } = parse(
    /^https?:/.test(source) ? await fetched(httpUrl(source), options.task) : await kept(source),
    source,
  )
  const report = verifyJournal(nodeCurves, config, entries, pins)
  if (options.json === true) console.log(JSON.stringify(report))
  else {
    for (const problem of report.problems) console.log(problem)
    const holds = report.problems.length === 0 ? 'everything holds' : `${report.problems.length} problems`
    console.log(`${report.rounds} rounds, ${report.transcripts} transcripts of clients: ${holds}`)
  }
  return report.problems.length === 0 ? 0 : 1
}

function keyOption(name: string, raw: unknown): Uint8Array {
  if (typeof raw === 'string' && /^[0-9a-f]{64}$/.test(raw)) return fromHex(raw)
  throw new FedweaveError('FL_USAGE', `--${name} takes a public key of 64 hex digits, got ${JSON.stringify(raw)}`)
}

/** `url` is that of a journal, or of a server whose task is named, or which has only one. */
async function fetched(url: URL, task: unknown): Promise<unknown> {
  if (url.pathname.endsWith('/journal')) return (await ask(url)).json()
  const base = baseOf(url)
  const id = typeof task === 'string' ? task : await onlyTask(base)
  return (await ask(new URL(`v1/tasks/${encodeURIComponent(id)}/journal`, base))).json()
}

async function onlyTask(base: URL): Promise<string> {
  const { tasks } = (await (await ask(new URL('v1/tasks', base))).json()) as { tasks: readonly TaskStatus[] }
  const [only, ...others] = tasks
  if (only !== undefined && others.length === 0) return only.id
  throw new FedweaveError('FL_USAGE', `name one of its tasks with --task: ${tasks.map(({ id }) => id).join(', ')}`)
}

async function kept(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as unknown
  } catch (cause) {
    throw new FedweaveError('FL_USAGE', `cannot read a journal from ${path}: ${(cause as Error).message}`, { cause })
  }
}

function parse(raw: unknown, source: string): Journal {
  const { config, entries } = (raw ?? {}) as { config?: unknown; entries?: unknown }
  if (typeof config !== 'string' || !Array.isArray(entries) || !entries.every((entry) => typeof entry === 'string'))
    throw new FedweaveError('FL_MESSAGE_MALFORMED', `${source} gives no journal: {"config","entries"} in base64`)
  return { config: bytesOf(config), entries: entries.map(bytesOf) }
}

function bytesOf(base64: string): Uint8Array {
  return new Uint8Array(Buffer.from(base64, 'base64'))
}
