import { type ChildProcess, fork } from 'node:child_process'

/** Starts a module of this folder as a process of its own that can be told things, from sources or from what was built. */
export function startProcess(url: URL, args: readonly string[] = []): ChildProcess {
  const sources = url.pathname.endsWith('.ts')
  return fork(url, [...args], {
    execArgv: sources ? ['--conditions=source', '--expose-gc', '--import', import.meta.resolve('tsx')] : ['--expose-gc'],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
}

/** Sends a request and waits for the one answer to it; rejects when the process ends instead. */
export function ask<Answer>(child: ChildProcess, request: object): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const ended = (code: number | null) => reject(new Error(`the process ended with code ${code} and no answer`))
    child.once('exit', ended)
    child.once('message', (answer) => {
      child.off('exit', ended)
      resolve(answer as Answer)
    })
    child.send(request)
  })
}

/** Milliseconds on a clock that all processes of this machine share. */
export function sharedNow(): number {
  return Number(process.hrtime.bigint()) / 1e6
}
