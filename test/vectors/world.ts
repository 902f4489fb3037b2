import { naclCurves, parseTaskConfig, sha256, signConfig, type TaskConfig, taskId, toHex } from '@fedweave/aggregator'
import { seededEntropy } from '@fedweave/aggregator/testing'
import { sharedKey } from '../../aggregator/src/crypto/box.ts'
import { splitSecret } from '../../aggregator/src/crypto/shamir.ts'
import { activeDigest, contextOf, entryId, membersDigest, survivorsDigest } from '../../aggregator/src/secagg/context.ts'
import { certify, channelStatement } from '../../aggregator/src/secagg/identity.ts'
import { ENTRY_VERSION, type JournalBody, openEntry, signEntry } from '../../aggregator/src/secagg/journal.ts'
import { graphOf } from '../../aggregator/src/secagg/params.ts'
import { openConfig } from '../../aggregator/src/task/signed-config.ts'
import type { Member, RosterEntry } from '../../aggregator/src/wire/records.ts'

/**
 * The one round that all vectors are taken from: six clients, of which the fifth shares its keys and acknowledges nothing,
 * so that it is not active, and the last acknowledges and sends no update. Every secret is drawn from a seed, a client's in the order in which its machine draws them.
 */
export const SEED = 'fedweave/v1 test vectors'
export const curves = naclCurves
export const ROUND = 7
/** Unix milliseconds of everything in this round. */
export const NOW = 1_800_000_000_000
const NOT_AFTER = 4_000_000_000 // Unix seconds

const drawn = seededEntropy(SEED)
export const operatorSeed = drawn.bytes(32)
export const enrolmentSeed = drawn.bytes(32)
export const coordinatorSecret = drawn.bytes(32)
export const challengeNonce = drawn.bytes(32)
export const sessionToken = drawn.bytes(32)
export const operatorKey = curves.ed25519Public(operatorSeed)
export const enrolmentKey = curves.ed25519Public(enrolmentSeed)
export const coordinatorKey = curves.x25519Public(coordinatorSecret)

export const weights = Float32Array.of(0.5, -0.25, 0, 1, -1, 0.125, 2)
export const modelBytes = (model: Float32Array) => new Uint8Array(model.slice().buffer)
export const modelHash = sha256(modelBytes(weights))

export const config: TaskConfig = parseTaskConfig({
  protocol: 'fedweave/v1',
  taskId: 'vectors',
  rounds: 10,
  model: {
    topology: '{}',
    inputShape: [2],
    classes: 3,
    tensors: [
      { name: 'kernel', shape: [2, 3] },
      { name: 'scale', shape: [] },
    ],
  },
  initialModel: toHex(modelHash),
  plan: { epochs: 1, batchSize: 8, optimizer: 'sgd', learningRate: 0.1 },
  strategy: { name: 'fedavg' },
  cohort: { minimum: 3, target: 6, overSelection: 1 },
  secureAggregation: { clipBound: 1, valueBits: 8, weighting: 'uniform', maxWeight: 1, corrupt: 1, dropout: 0.34 },
  deadlines: { recruitingMs: 60_000, setupMs: 10_000, collectingMs: 60_000, confirmingMs: 10_000, unmaskingMs: 10_000 },
  enrolment: { key: toHex(enrolmentKey), holder: 'external' },
})
export const task = taskId(config.taskId)
export const signedConfig = signConfig(curves, operatorSeed, config)
export const { configHash } = openConfig(curves, operatorKey, signedConfig)
const CLIENTS = 6
export const graph = graphOf(config, CLIENTS)

const ZERO = new Uint8Array(32)
export const genesis: JournalBody = {
  version: ENTRY_VERSION,
  index: 0,
  task,
  round: 0,
  at: NOW - 1000,
  previous: ZERO,
  configHash,
  coordinatorKey,
  modelBefore: ZERO,
  modelAfter: modelHash,
  strategyState: ZERO,
  aggregates: [],
  cohorts: [],
  weight: 0,
  training: undefined,
  uploadBytes: 0,
  evaluation: undefined,
  privacy: undefined,
}
export const signedGenesis = signEntry(curves, operatorSeed, genesis)
export const headHash = openEntry(curves, operatorKey, signedGenesis).hash

/** A client's own stream: `identitySeed` and `channelSecret` come first, then what its machine asks for in this round. */
export const entropyOf = (number: number) => seededEntropy(`${SEED}/client/${number}`)

function client(number: number) {
  const entropy = entropyOf(number)
  const identitySeed = entropy.bytes(32)
  const channelSecret = entropy.bytes(32)
  const nonce = entropy.bytes(16)
  const maskSecret = entropy.bytes(32)
  const selfSeed = entropy.bytes(32)
  const maskKeyCoefficients = entropy.bytes(32 * (graph.threshold - 1))
  const selfSeedCoefficients = entropy.bytes(32 * (graph.threshold - 1))
  const boxNonces = Array.from({ length: CLIENTS - 1 }, () => entropy.bytes(24))
  const roundingKey = entropy.bytes(32)
  const identityKey = curves.ed25519Public(identitySeed)
  const channelKey = curves.x25519Public(channelSecret)
  const entry: RosterEntry = {
    certificate: certify(curves, enrolmentSeed, identityKey, NOT_AFTER),
    channelKey,
    channelSignature: curves.sign(identitySeed, channelStatement(task, channelKey, coordinatorKey)),
    nonce,
  }
  const split = (secret: Uint8Array, coefficients: Uint8Array) =>
    splitSecret(secret, graph.clients, graph.threshold, { bytes: () => coefficients.slice() })
  return {
    number,
    id: entryId(entry),
    identitySeed,
    identityKey,
    channelSecret,
    channelKey,
    entry,
    maskSecret,
    maskKey: curves.x25519Public(maskSecret),
    selfSeed,
    maskKeyCoefficients,
    selfSeedCoefficients,
    maskKeyShares: split(maskSecret, maskKeyCoefficients),
    selfSeedShares: split(selfSeed, selfSeedCoefficients),
    boxNonces,
    roundingKey,
  }
}

export type VectorClient = ReturnType<typeof client>

/** In the roster's order. */
export const clients = Array.from({ length: CLIENTS }, (_, number) => client(number)).sort((a, b) => (a.id < b.id ? -1 : 1))
export const roster = clients.map(({ entry }) => entry)
export const context = contextOf({ task, round: ROUND, roster, modelHash, configHash, headHash, coordinatorKey })
export const members: readonly Member[] = clients.map(({ id, maskKey }) => ({ id, maskKey, holders: [] }))
export const u1Digest = membersDigest(context, members)
export const survivors = clients.slice(0, 4)
export const dropout = clients[5] as VectorClient
export const active = [...survivors, dropout]
export const activePlaces = active.map((one) => clients.indexOf(one))
export const u1ActiveDigest = activeDigest(context, u1Digest, activePlaces)
export const survivorIds = survivors.map(({ id }) => id)
export const u2Digest = survivorsDigest(context, u1ActiveDigest, survivorIds)

/** `nacl.box.before` of two clients. */
export function sharedOf(a: VectorClient, b: VectorClient): Uint8Array {
  return known(sharedKey(curves, a.channelSecret, b.channelKey))
}

/** `nacl.box.before` of a client and the coordinator. */
export function sealSharedOf(one: VectorClient): Uint8Array {
  return known(sharedKey(curves, one.channelSecret, coordinatorKey))
}

export function known<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('the vectors hold no such value')
  return value
}
