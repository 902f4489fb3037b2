import { once } from 'node:events'
import { FedweaveError } from '@fedweave/aggregator'
import { parseServerConfig, readServerConfig, type ServerConfig, serve } from '@fedweave/server'
import { writeMnistTask } from '../tasks/mnist.ts'
import type { Action } from './action.ts'
import { integerOption, interruptSignal, passphrase } from './output.ts'

const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'silent']

export const run: Action = async (options) => {
  const level = String(options.log)
  if (!LEVELS.includes(level))
    throw new FedweaveError('FL_USAGE', `--log takes one of ${LEVELS.join(', ')}, got ${JSON.stringify(level)}`)
  const config = withFlags(await baseConfig(options), options)
  const signal = interruptSignal()
  const warn = (message: string) => console.error(`warning: ${message}`)
  const { app, url, operatorKey, enrolmentKey } = await serve(config, {
    logger: { level, stream: process.stderr },
    warn,
    ...passphrase(),
  })
  if (options.json === true)
    console.log(JSON.stringify({ url, operatorKey, enrolmentKey, tasks: config.tasks.map(({ id }) => id) }))
  else {
    console.log(`listening on ${url}`)
    console.log(`operator key ${operatorKey}\nenrolment key ${enrolmentKey}`)
    for (const { id } of config.tasks)
      console.log(`join with: npx fedweave client ${url} --task ${id} --dataset mnist --shard 1/10`)
  }
  if (!signal.aborted) await once(signal, 'abort')
  await app.close()
  return 0
}

/** The file's config, or MNIST on the reference CNN, written out beside the server's data so that it can be read and changed. */
async function baseConfig(options: Record<string, unknown>): Promise<ServerConfig> {
  if (typeof options.config === 'string') return readServerConfig(options.config)
  const data = typeof options.data === 'string' ? options.data : '.fedweave/server'
  return parseServerConfig({ data, tasks: [await writeMnistTask(data, {})] })
}

function withFlags(config: ServerConfig, options: Record<string, unknown>): ServerConfig {
  const listen = {
    host: typeof options.host === 'string' ? options.host : config.listen.host,
    port: options.port === undefined ? config.listen.port : integerOption('port', options.port, 0, 65_535),
  }
  return { ...config, listen, data: typeof options.data === 'string' ? options.data : config.data }
}
