import { taskId } from '../core/ids.ts'
import { MAX_SHARES } from '../crypto/shamir.ts'
import { bytes, clientIdCodec, decode, encode, list, struct, u64 } from '../wire/codec.ts'
import { hash32, key32, MAX_COHORT, peerMac, places, rosterEntry, shareCommitments, signature64 } from '../wire/records.ts'
import { activeDigest, contextOf, entryId, membersDigest } from './context.ts'
import { relayConfirms } from './coordinator-finish.ts'
import { membersOf } from './coordinator-setup.ts'
import type { CoordinatorEnv, CoordinatorState, CoordinatorStep } from './coordinator-state.ts'
import { placesOf } from './graph.ts'
import { graphOf } from './params.ts'

/**
 * What a coordinator keeps on disk before it asks for shares. Whoever gives shares may never train on that base model again
 * unless the round is committed; so a coordinator that crashes from here on has to be able to finish it. What it had been
 * sent is lost with the crash, and clients send it again when they come back.
 */
const record = struct({
  round: u64,
  modelHash: hash32,
  head: bytes(16 * 1024 * 1024),
  headHash: hash32,
  roster: list(rosterEntry, MAX_COHORT),
  /** Without the boxes, which have been relayed. */
  setups: list(
    struct({
      from: clientIdCodec,
      maskKey: key32,
      selfSeedCommitment: hash32,
      shares: list(struct({ peer: clientIdCodec, commitments: shareCommitments }), MAX_SHARES),
    }),
    MAX_COHORT,
  ),
  active: places(MAX_COHORT),
  survivors: list(clientIdCodec, MAX_COHORT),
  confirms: list(struct({ from: clientIdCodec, macs: list(peerMac, MAX_COHORT), signature: signature64 }), MAX_COHORT),
})

type Unmasking = Extract<CoordinatorState, { phase: 'unmasking' }>

/** The round as it is when shares are asked for, without a secret of anybody. */
export function encodeRound({ facts, setups, active, survivors, confirms }: Unmasking): Uint8Array {
  return encode(record, {
    ...facts,
    setups: [...setups].map(([from, setup]) => ({ ...setup, from })),
    active,
    survivors,
    confirms: [...confirms].map(([from, confirm]) => ({ ...confirm, from })),
  })
}

/**
 * Goes on with a round that `encodeRound` kept, under the coordinator key that it was begun with, from its first answer.
 * `waitMs`: what clients get to come back in, besides the time to answer. Throws `FL_MESSAGE_MALFORMED` for other bytes, and
 * what `graphOf` throws.
 */
export function resumeRound(env: CoordinatorEnv, raw: Uint8Array, now: number, waitMs: number): CoordinatorStep {
  const kept = decode(record, raw)
  const { round, modelHash, head, headHash, roster, active, survivors } = kept
  const { config, configHash, coordinatorKey } = env
  const ids = roster.map(entryId)
  const context = contextOf({ task: taskId(config.taskId), round, roster, modelHash, configHash, headHash, coordinatorKey })
  const graph = (env.graphOf ?? graphOf)(config, roster.length)
  const facts = { round, modelHash, head, headHash, roster, ids, context, graph, places: placesOf(ids) }
  const setups = new Map(
    kept.setups.map(({ from, shares, ...setup }) => {
      const withoutBoxes = shares.map((share) => ({ ...share, box: new Uint8Array() }))
      return [from, { type: 'setup', context, ...setup, shares: withoutBoxes } as const]
    }),
  )
  const confirms = new Map(kept.confirms.map(({ from, ...confirm }) => [from, { type: 'confirm', context, ...confirm } as const]))
  const members = membersOf(facts, setups)
  const u1Digest = membersDigest(context, members)
  return relayConfirms(env, {
    ...{ facts, setups, members, u1Digest, active, survivors, confirms },
    activeDigest: activeDigest(context, u1Digest, active),
    gone: new Set(),
    deadline: now + waitMs,
  })
}
