import { once } from 'node:events'
import { loadServerConfig, serve } from '@fedweave/server'
import type { Action } from './action.ts'
import { configSources, logger, showConfig, warn, warnOfVariables } from './config-options.ts'
import { endWithin, interruptSignal } from './output.ts'

export const run: Action = async (options) => {
  const json = options.json === true
  const log = logger(options.log)
  const { config, unknownVariables } = await load(options)
  warnOfVariables(unknownVariables)
  if (options.printConfig === true) {
    showConfig(config, json)
    return 0
  }
  const signal = interruptSignal()
  const plugins = options.app === true ? [await (await import('../app/routes.ts')).appRoutes(config.tasks[0]?.id as string)] : []
  const { app, url, operatorKey, enrolmentKey } = await serve(config, { logger: log, warn, plugins })
  const { mode, key } = config.enrolment
  const enrolment = key === undefined ? mode : 'external'
  if (json) console.log(JSON.stringify({ url, operatorKey, enrolmentKey, enrolment, tasks: config.tasks.map(({ id }) => id) }))
  else {
    console.log(`listening on ${url}`)
    console.log(`operator key ${operatorKey}\nenrolment key ${enrolmentKey} (${enrolment})`)
    if (options.app === true) console.log(`or in a browser: ${url}/app/`)
    for (const { id } of config.tasks)
      console.log(`join with: npx fedweave client ${url} --task ${id} --dataset mnist --shard 1/10`)
  }
  if (!signal.aborted) await once(signal, 'abort')
  await endWithin(14_000, app.drain())
  return 0
}

/** People do not wait ten minutes for a round, and there is no end to them. */
const FOR_PEOPLE = { rounds: 100, deadlines: { recruitingMs: 15_000 } }

async function mnistTask(folder: string, forPeople: boolean) {
  const { writeMnistTask } = await import('../tasks/mnist.ts')
  return writeMnistTask(folder, forPeople ? FOR_PEOPLE : {})
}

/** Without a config file: MNIST on the reference CNN, written out beside the server's data so that it can be read and changed. */
function load(options: Record<string, unknown>) {
  const sources = configSources(options)
  return loadServerConfig(
    sources.file === undefined ? { ...sources, tasks: async (data) => [await mnistTask(data, options.app === true)] } : sources,
  )
}
