import { once } from 'node:events'
import { loadEnrolmentConfig, serveEnrolment } from '@fedweave/server'
import type { Action } from './action.ts'
import { configSources, logger, showConfig, warn, warnOfVariables } from './config-options.ts'
import { endWithin, interruptSignal } from './output.ts'

/** `fedweave enrol serve`: the process that holds the enrolment key. */
export const run: Action = async (options) => {
  const json = options.json === true
  const log = logger(options.log)
  const { config, unknownVariables } = await loadEnrolmentConfig(configSources(options))
  warnOfVariables(unknownVariables)
  if (options.printConfig === true) {
    showConfig(config, json)
    return 0
  }
  const signal = interruptSignal()
  const { app, url, enrolmentKey } = await serveEnrolment(config, { logger: log, warn })
  const { mode } = config.enrolment
  if (json) console.log(JSON.stringify({ url, enrolmentKey, mode }))
  else {
    console.log(`enrolling (${mode}) on ${url}`)
    console.log(`for the server's config:\n  enrolment:\n    key: ${enrolmentKey}\n    url: ${url}`)
  }
  if (!signal.aborted) await once(signal, 'abort')
  await endWithin(14_000, app.close())
  return 0
}
