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
  connections: () => import('../../bench/connections.ts'),
  crash: () => import('../../bench/crash.ts'),
  forecast: () => import('../../bench/forecast.ts'),
  mnist: () => import('../../bench/mnist.ts'),
  round: () => import('../../bench/round.ts'),
  secagg: () => import('../../bench/secagg.ts'),
  simulate: () => import('../../bench/simulate.ts'),
  sum: () => import('../../bench/sum.ts'),
  train: () => import('../../bench/train.ts'),
  upload: () => import('../../bench/upload.ts'),
}

export const run: Action = async (_options, [name = '', ...args]) => {
  if (name === '--help' || name === '-h') {
    console.log(await help())
    return 0
  }
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

async function help(): Promise<string> {
  const lines: string[] = []
  for (const load of Object.values(BENCHES)) {
    const { command } = await load()
    lines.push(`  ${command.name().padEnd(12)} ${command.description()}`)
  }
  return `Usage: fedweave bench <name> [options] [--json]\n\nEach with its own --help:\n${lines.join('\n')}`
}
