import {
  channelStatement,
  decodeServerMessage,
  encode,
  encodeClientMessage,
  fromHex,
  joinToken,
  PROTOCOL_VERSIONS,
  proofStatement,
  type ServerMessage,
  signJoinToken,
  taskId,
  toHex,
} from '@fedweave/aggregator'
import { nodeCurves } from '@fedweave/aggregator/node'
import { simulatedClient, socketTransport } from '@fedweave/client/simulation'
import { type Certified, newCertified } from './certified.ts'
import { sharedNow } from './process.ts'
import { PARAMETERS } from './tiny-model.ts'

/** A process of `bench connections` or `bench round` that is many clients. */
export interface Request {
  /** `idle`: joins, and answers nothing from then on. `train`: a whole client, but for training, which is a constant. */
  readonly type: 'idle' | 'train'
  readonly url: string
  /** Hex seed of the key that certifies clients. */
  readonly enrolmentSeed: string
  readonly count: number
}

/** What it answers: for `idle` when all have been welcomed, for `train` when all are finished. */
export interface Answer {
  readonly clients: number
  /** Rounds in which the clients' updates counted, all together. */
  readonly counted: number
}

/** What it says besides, when a client is invited. */
export interface Invited {
  readonly invitedAt: number
}

const TASK = taskId('load')
/** Joins under way at once: as a crowd comes, not all in one instant. */
const AT_ONCE = 16

/** Resolves when the server has welcomed it; the connection then stays until the process ends. */
async function idle(url: string, { seed, certificate }: Certified, invited: () => void): Promise<void> {
  const transport = socketTransport(url)
  const signal = new AbortController().signal
  await new Promise<void>((resolve, reject) => {
    const handlers = {
      opened: () => undefined,
      closed: () => reject(new Error('the connection broke')),
      lost: reject,
      message(raw: Uint8Array) {
        const message = decodeServerMessage(raw)
        if (message.type === 'challenge') transport.send(encodeClientMessage(hello(message, { seed, certificate })))
        if (message.type === 'welcome') resolve()
        if (message.type === 'invite') invited()
      },
    }
    const token = () => encode(joinToken, signJoinToken(nodeCurves, seed, certificate, Date.now()))
    transport.open(handlers, signal, token).catch(reject)
  })
}

function hello(
  { coordinatorKey, nonce }: Extract<ServerMessage, { type: 'challenge' }>,
  { seed, certificate }: Pick<Certified, 'seed' | 'certificate'>,
) {
  const channelKey = nodeCurves.x25519Public(seed) // no message is ever sealed to it
  return {
    type: 'hello' as const,
    versions: PROTOCOL_VERSIONS,
    task: TASK,
    certificate,
    channelKey,
    channelSignature: nodeCurves.sign(seed, channelStatement(TASK, channelKey, coordinatorKey)),
    proof: nodeCurves.sign(seed, proofStatement(nonce, TASK, channelKey)),
  }
}

/** Takes part until the task is finished; resolves with the rounds in which it counted. */
async function train(url: string, { seed, store }: Certified): Promise<number> {
  const client = simulatedClient({
    task: TASK,
    dataset: { xs: new Float32Array(8), shape: [4], labels: Int32Array.of(0, 1) },
    entropySeed: toHex(seed),
    store,
    server: () => socketTransport(url, { giveUpMs: 600_000 }),
    trainer: () => ({
      train: async () => ({ delta: new Float32Array(PARAMETERS).fill(0.01), examples: 1, steps: 1, loss: 1, accuracy: 0 }),
      close: async () => undefined,
    }),
  })
  return (await client.run()).rounds
}

async function runAll({ type, url, enrolmentSeed, count }: Request): Promise<Answer> {
  const seed = fromHex(enrolmentSeed)
  const certified = await Promise.all(Array.from({ length: count }, () => newCertified(seed)))
  if (type === 'train') {
    const counted = await Promise.all(certified.map((client) => train(url, client)))
    return { clients: count, counted: counted.reduce((sum, rounds) => sum + rounds, 0) }
  }
  const invited = () => process.send?.({ invitedAt: sharedNow() } satisfies Invited)
  const worker = async () => {
    for (let next = certified.pop(); next !== undefined; next = certified.pop()) await idle(url, next, invited)
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
  return { clients: count, counted: 0 }
}

if (process.send !== undefined) {
  process.on('disconnect', () => process.exit(0))
  process.on('message', async (request: Request) => {
    process.send?.(await runAll(request))
  })
}
