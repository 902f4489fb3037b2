import {
  type ClientEnv,
  type ClientInput,
  type ClientState,
  encodeClientMessage,
  noblePrg,
  stepClient,
  toHex,
  UpdateFormat,
} from '@fedweave/aggregator'
import { serverMessages } from './messages.ts'
import { trainedBy } from './round.ts'
import { clients, config, configHash, coordinatorKey, curves, enrolmentKey, entropyOf, known, NOW, operatorKey } from './world.ts'

interface Replayed {
  readonly sent: { readonly type: string; readonly bytes: string }[]
  readonly sealed: string
  readonly phase: ClientState['phase']
}

/** Feeds the vectors' server messages to the machine of the roster's first client, which draws the vectors' secrets. */
export function replay(): Replayed {
  const me = known(clients[0])
  const entropy = entropyOf(me.number)
  entropy.bytes(64) // identity seed and channel secret
  const { id, identitySeed, channelSecret } = me
  const verified = new Set<string>()
  const secrets = { curves, entropy, id, identitySeed, channelSecret }
  const env: ClientEnv = { ...secrets, config, configHash, operatorKey, coordinatorKey, enrolmentKey, verified }
  const format = new UpdateFormat(config)
  const sent: { type: string; bytes: string }[] = []
  let sealed = ''
  let state: ClientState = { phase: 'idle' }

  const feed = (input: ClientInput): void => {
    const step = stepClient(env, state, input, NOW)
    state = step.state
    for (const effect of step.effects) {
      if (effect.type === 'send') sent.push({ type: effect.message.type, bytes: toHex(encodeClientMessage(effect.message)) })
      if (effect.type === 'train') feed({ type: 'trained' })
      if (effect.type === 'upload')
        sealed = toHex(
          format.maskAndSeal(format.quantise(trainedBy(me), effect.context, noblePrg, entropy), effect.masks, effect.sealKey),
        )
    }
  }

  const received = new Map(serverMessages().map((message) => [message.type, message]))
  for (const type of ['invite', 'start', 'relay', 'acks', 'survivors', 'confirms', 'result'] as const) {
    const message = known(received.get(type))
    if (message.type === 'start') feed({ ...message, ledger: { highestRound: 0, head: undefined } })
    else feed(message as ClientInput)
  }
  return { sent, sealed, phase: state.phase }
}
