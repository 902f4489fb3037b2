import { FedweaveError } from '@fedweave/aggregator'
import type { Command } from 'commander'
import type { Action } from './action.ts'

interface Bench {
  readonly command: Command
  /** What it measured; `verified: false` in it is a failure. */
  run(options: Record<string, unknown>): Promise<Record<string, unknown>>
}

const BENCHES: Readonly<Record<string, () => Promise<Bench>>> = {
  browser: () => import('../../bench/browser.ts'),
  bundle: () => import('../../bench/bundle.ts'),
  crash: () => import('../../bench/crash.ts'),
  load: () => import('../../bench/load.ts'),
  mnist: () => import('../../bench/mnist.ts'),
  secagg: () => import('../../bench/secagg.ts'),
  sum: () => import('../../bench/sum.ts'),
  simulate: () => import('../../bench/simulate.ts'),
  train: () => import('../../bench/train.ts'),
  upload: () => import('../../bench/upload.ts'),
}

export const run: Action = async (_options, [name = '', ...args]) => {
  const load = Object.hasOwn(BENCHES, name) ? BENCHES[name] : undefined
  if (load === undefined) {
    throw new FedweaveError(
      'FL_USAGE',
      `there is no bench ${JSON.stringify(name)}; there are: ${Object.keys(BENCHES).join(', ')}`,
    )
  }
  const bench = await load()
  const command = bench.command.exitOverride().option('--json', 'print one JSON object on the last line of stdout')
  command.parse(args, { from: 'user' })
  const options = command.opts()
  const result = await bench.run(options)
  if (options.json === true) console.log(JSON.stringify(result))
  else
    for (const [key, value] of Object.entries(result))
      console.log(`${key.padEnd(16)} ${typeof value === 'object' ? JSON.stringify(value) : String(value)}`)
  return result.verified === false ? 1 : 0
}
