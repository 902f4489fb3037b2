import { FedweaveError } from '@fedweave/aggregator'
import type { FromSession, ToSession } from './messages.ts'

type Result = Extract<FromSession, { kind: 'done' }>['result']

/**
 * The worker's side of one session, or of reading a task: give it every message from the page and a way to post back. Signatures,
 * key agreements and journals cost tens of milliseconds each, which a page would feel; here nobody does. What an order needs is
 * loaded when it comes.
 */
export function serveSession(post: (message: FromSession) => void): (message: ToSession) => void {
  const stop = new AbortController()

  async function answer(work: () => Promise<Result>): Promise<void> {
    try {
      post({ kind: 'done', result: await work() })
    } catch (error) {
      if (!(error instanceof FedweaveError)) throw error // a bug of ours: the worker dies of it, and the page sees that
      post({ kind: 'failed', error: error.toJSON() })
    }
  }

  return (message) => {
    switch (message.kind) {
      case 'start':
        return void answer(async () => (await import('./join.ts')).join(message.order, post, stop.signal))
      case 'read':
        return void answer(async () => (await import('./read-task.ts')).readTask(message.order))
      case 'weights':
        return void answer(async () => (await import('./read-task.ts')).readWeights(message.order))
      case 'offline': // Socket.IO listens for it
        return void globalThis.dispatchEvent(new Event('offline'))
      case 'stop':
        return stop.abort()
    }
  }
}
