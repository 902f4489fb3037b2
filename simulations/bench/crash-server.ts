import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { FedweaveError } from '@fedweave/aggregator'

const PACKAGE = new URL(import.meta.url.endsWith('.ts') ? '..' : '../..', import.meta.url)
const FEDWEAVE = {
  /** In the checkout from TypeScript sources, which takes longer to load; in the published package from dist. */
  bin: [fileURLToPath(new URL('bin/fedweave.js', PACKAGE))],
  /** What `npm run build` made, as it is published. */
  dist: [
    '--eval',
    `import(${JSON.stringify(new URL('dist/src/cli.js', PACKAGE).href)}).then(({ main }) => main(process.argv.slice(1)))`,
  ],
} as const
export type RunsFrom = keyof typeof FEDWEAVE

/** `fedweave serve` in a process of its own, from its start to the line that says where it listens. */
export interface ServeProcess {
  readonly url: string
  readonly operatorKey: string
  /** Milliseconds from the start of the process until it listened. */
  readonly startMs: number
  /** Ends it as a power cut does: no handler runs. */
  kill(): Promise<void>
}

export async function startServer(config: string, port: number, from: RunsFrom): Promise<ServeProcess> {
  const start = performance.now()
  const args = [...FEDWEAVE[from], 'serve', '--config', config, '--port', String(port), '--log', 'silent', '--json']
  const child: ChildProcess = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'ignore'] })
  const exited = once(child, 'exit')
  if (child.stdout === null) throw new Error('the server has no stdout')
  for await (const line of createInterface({ input: child.stdout })) {
    const said = JSON.parse(line) as { url?: string; operatorKey: string; error?: { message: string } }
    if (said.url === undefined)
      throw new FedweaveError('FL_STORE_DAMAGED', `the server did not start again: ${said.error?.message}`)
    return {
      url: said.url,
      operatorKey: said.operatorKey,
      startMs: performance.now() - start,
      async kill() {
        child.kill('SIGKILL')
        await exited
      },
    }
  }
  throw new FedweaveError('FL_SERVER_FAULT', 'the server ended before it listened')
}
