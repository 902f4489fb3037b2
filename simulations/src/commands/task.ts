import type { TaskStatus } from '@fedweave/server'
import type { Action } from './action.ts'
import { figuresOf } from './figures.ts'
import { operatorApi } from './operator-api.ts'
import { integerOption } from './output.ts'
import { readTask } from './task-file.ts'

type Options = Record<string, unknown>

/** `fedweave task create`: makes a task from a file. */
export const create: Action = async (options) => {
  const api = await operatorApi(options)
  return show(options, (await api.call('POST', 'v1/tasks', await readTask(String(options.spec)))) as TaskStatus)
}

/** `fedweave task list`. */
export const list: Action = async (options) => {
  const api = await operatorApi(options)
  const { tasks } = (await api.call('GET', 'v1/tasks')) as { tasks: readonly TaskStatus[] }
  if (options.json === true) console.log(JSON.stringify({ tasks }))
  else for (const task of tasks) console.log(line(task))
  return 0
}

/** `fedweave task show <id>`. */
export const detail: Action = async (options, [id]) => {
  const api = await operatorApi(options)
  return show(options, (await api.call('GET', pathOf(id))) as TaskStatus)
}

/** `fedweave task pause <id>`. */
export const pause: Action = async (options, [id]) => {
  const comeBackS = integerOption('come-back', options.comeBack, 1, 31_536_000)
  const api = await operatorApi(options)
  return show(options, (await api.call('POST', `${pathOf(id)}/pause`, { comeBackS })) as TaskStatus)
}

/** `fedweave task resume <id>` and `fedweave task stop <id>`. */
const command =
  (name: 'resume' | 'stop'): Action =>
  async (options, [id]) => {
    const api = await operatorApi(options)
    return show(options, (await api.call('POST', `${pathOf(id)}/${name}`)) as TaskStatus)
  }
export const resume = command('resume')
export const stop = command('stop')

/** `fedweave task delete <id>`. */
export const remove: Action = async (options, [id]) => {
  const api = await operatorApi(options)
  await api.call('DELETE', pathOf(id))
  console.log(options.json === true ? JSON.stringify({ id, deleted: true }) : `deleted ${id}`)
  return 0
}

function pathOf(id = ''): string {
  return `v1/tasks/${encodeURIComponent(id)}`
}

function show(options: Options, task: TaskStatus): number {
  console.log(options.json === true ? JSON.stringify(task) : line(task))
  return 0
}

function line({ id, state, comeBackS, rounds, clients, round, model, evaluation }: TaskStatus): string {
  const parts = [
    id,
    comeBackS === undefined ? state : `${state}, clients come back in ${comeBackS} s`,
    `${rounds.committed}/${rounds.planned} rounds`,
    `${clients.connected} clients connected`,
    ...(round === undefined ? [] : [`round ${round.number}: ${round.phase}, ${round.clients} clients`]),
    `${model.parameters.toLocaleString('en')} parameters`,
    ...(evaluation === undefined ? [] : [figuresOf(evaluation)]),
  ]
  return parts.join('  ')
}
