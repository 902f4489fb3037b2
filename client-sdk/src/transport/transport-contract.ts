import type { ErrorCode } from '@fedweave/aggregator'
import type { Transport } from './transport.ts'

export interface TransportCase {
  readonly name: string
  run(): Promise<void>
}

/**
 * What every transport must do, as cases that any test runner can call. `connect` gives a fresh transport to a server that
 * has the task `task` and takes certified clients only, of which `joinToken` makes one's token.
 */
export function transportContract(connect: () => Transport, task: string, joinToken: () => Uint8Array): readonly TransportCase[] {
  const never = new AbortController().signal
  const refusal = (name: string, code: ErrorCode, call: (transport: Transport) => Promise<unknown>): TransportCase => ({
    name,
    async run() {
      const transport = connect()
      try {
        const outcome = await call(transport).then(
          () => 'no error',
          (error: { code?: string }) => error.code,
        )
        if (outcome !== code) throw new Error(`expected ${code}, got ${outcome}`)
      } finally {
        transport.close()
      }
    },
  })
  const zeros = '0'.repeat(64)
  return [
    {
      name: 'a fresh connection opens and the server speaks first',
      async run() {
        const transport = connect()
        const heard: string[] = []
        const first = new Promise<Uint8Array>((resolve, reject) => {
          const handlers = {
            opened: () => void heard.push('opened'),
            message: (raw: Uint8Array) => {
              heard.push('message')
              resolve(raw)
            },
            closed: () => undefined,
            lost: reject,
          }
          transport.open(handlers, never, joinToken).catch(reject)
        })
        const raw = await first
        transport.close()
        if (raw.length < 100) throw new Error(`the first message has only ${raw.length} bytes`)
        if (heard.join() !== 'opened,message') throw new Error(`heard ${heard.join()}`)
      },
    },
    refusal('an unknown model is a typed error', 'FL_MODEL_UNKNOWN', (t) => t.model(task, zeros, never)),
    refusal('an unknown task is a typed error', 'FL_TASK_UNKNOWN', (t) => t.model('no-such-task', zeros, never)),
    refusal('an upload without a session is a typed error', 'FL_SESSION_INVALID', (t) =>
      t.upload({ task, context: zeros, session: zeros, sealed: new Uint8Array(10) }, never),
    ),
    refusal('enrolment where it is not open is a typed error', 'FL_CERTIFICATE_INVALID', (t) =>
      t.enrol({ identityKey: zeros, proof: zeros.repeat(2) }, never),
    ),
  ]
}
