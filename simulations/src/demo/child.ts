import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { FedweaveError } from '@fedweave/aggregator'

const BIN = fileURLToPath(new URL('../../bin/fedweave.js', import.meta.url))
const TAIL_LINES = 20

/** One `fedweave` process of the demo: its output line by line, its end, and the signals to send it. */
export class Child {
  readonly name: string
  readonly #process: ChildProcess
  readonly #tail: string[] = []
  /** Whether its end is part of the plan. */
  #expected = false

  constructor(name: string, args: readonly string[], onLine: (line: string) => void) {
    this.name = name
    this.#process = spawn(process.execPath, [BIN, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
    for (const stream of [this.#process.stdout, this.#process.stderr]) {
      if (stream === null) continue
      createInterface({ input: stream }).on('line', (line) => {
        this.#tail.push(line)
        if (this.#tail.length > TAIL_LINES) this.#tail.shift()
        onLine(line)
      })
    }
  }

  /** Rejects when the process ends with a failure that nobody planned; resolves when it is done. */
  async done(): Promise<void> {
    const { exitCode, signalCode } = this.#process
    const [code] =
      exitCode === null && signalCode === null ? ((await once(this.#process, 'exit')) as [number | null]) : [exitCode]
    if (code === 0 || this.#expected) return
    throw new FedweaveError(
      'FL_SERVER_FAULT',
      `${this.name} ended with code ${code}; its last words:\n${this.#tail.join('\n')}`,
      {
        cure: 'Read its last words above; run the demo again.',
      },
    )
  }

  /** SIGKILL: no handler runs, nothing is said to anybody. */
  kill(): void {
    this.#expected = true
    this.#process.kill('SIGKILL')
  }

  async stop(): Promise<void> {
    this.#expected = true
    this.#process.kill('SIGTERM')
    await this.done()
  }
}
