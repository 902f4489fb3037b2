import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const BIN = fileURLToPath(new URL('../../simulations/bin/fedweave.js', import.meta.url))

export interface Finished {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
  /** The last line of stdout, parsed. */
  readonly json: Record<string, unknown> & {
    readonly error?: { readonly code: string; readonly message: string; readonly cure: string }
  }
}

/** Runs `fedweave` as a user's shell does, and waits for its end. */
export async function fedweave(...args: readonly string[]): Promise<Finished> {
  const child = spawn(process.execPath, [BIN, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  let [stdout, stderr] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  const [code] = (await once(child, 'close')) as [number | null]
  const last = stdout.trim().split('\n').at(-1) ?? ''
  return { code, stdout, stderr, json: last.startsWith('{') ? JSON.parse(last) : {} }
}

export interface ServeProcess {
  readonly child: ChildProcess
  readonly url: string
  readonly operatorKey: string
  readonly enrolmentKey: string
  /** SIGTERM; resolves with the exit code. */
  stop(): Promise<number | null>
}

/** `fedweave serve` in a process of its own, on a free port. */
export async function serveProcess(...args: readonly string[]): Promise<ServeProcess> {
  const child = spawn(process.execPath, [BIN, 'serve', '--port', '0', '--log', 'error', '--json', ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  for await (const line of createInterface({ input: child.stdout })) {
    const { url, operatorKey, enrolmentKey } = JSON.parse(line) as ServeProcess
    const stop = async () => {
      child.kill('SIGTERM')
      return ((await once(child, 'exit')) as [number | null])[0]
    }
    return { child, url, operatorKey, enrolmentKey, stop }
  }
  throw new Error('the server ended before it listened')
}
