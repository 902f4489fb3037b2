import { FedweaveError } from '@fedweave/aggregator'
import type { CommanderError } from 'commander'

/** A failure as users read it, and as scripts do: one JSON object on the last line of stdout. */
export function printError(error: unknown, json: boolean): void {
  const known = error instanceof FedweaveError ? error : undefined
  const message = error instanceof Error ? error.message : String(error)
  if (json) {
    const cure = known?.cure ?? 'This is a bug in Fedweave: please report it with the output above.'
    console.log(JSON.stringify({ error: { code: known?.code ?? 'FL_SERVER_FAULT', message, cure } }))
  }
  if (known !== undefined) console.error(`${known.code}: ${known.message}\n${known.cure}`)
  else console.error(error)
}

/** Commander has printed its own message; `--help` and `--version` are no failures. */
export function usageExit(error: CommanderError, json: boolean): number {
  if (error.exitCode === 0) return 0
  if (json) printJsonUsage(error.message)
  return 2
}

function printJsonUsage(message: string): void {
  const { code, cure } = new FedweaveError('FL_USAGE', message)
  console.log(JSON.stringify({ error: { code, message: message.replace(/^error: /, ''), cure } }))
}

/** Parses an option's value. Throws `FL_USAGE`, which exits with 2. */
export function integerOption(name: string, raw: unknown, min: number, max: number): number {
  const value = Number(raw)
  if (typeof raw !== 'string' || raw.trim() === '' || !Number.isInteger(value) || value < min || value > max) {
    throw new FedweaveError('FL_USAGE', `--${name} takes an integer from ${min} to ${max}, got ${JSON.stringify(raw)}`)
  }
  return value
}

export function numberOption(name: string, raw: unknown, min: number, max: number): number {
  const value = Number(raw)
  if (typeof raw !== 'string' || raw.trim() === '' || !(value >= min && value <= max)) {
    throw new FedweaveError('FL_USAGE', `--${name} takes a number from ${min} to ${max}, got ${JSON.stringify(raw)}`)
  }
  return value
}

/** The signal of Ctrl-C and SIGTERM, for work that can be stopped cleanly. */
export function interruptSignal(): AbortSignal {
  const controller = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => controller.abort())
  return controller.signal
}

/** Waits for the end of what was told to stop, but not for ever: by then the process ends with a failure. */
export async function endWithin(ms: number, end: Promise<unknown>): Promise<void> {
  const timer = setTimeout(() => {
    console.error(`it did not end within ${ms} ms`)
    process.exit(1)
  }, ms)
  try {
    await end
  } finally {
    clearTimeout(timer)
  }
}

export function passphrase(): { readonly passphrase?: string } {
  const value = process.env.FEDWEAVE_PASSPHRASE
  return value === undefined || value === '' ? {} : { passphrase: value }
}
