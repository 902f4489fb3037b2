export * from './core/bytes.ts'
export type { Entropy } from './core/entropy.ts'
export { ERRORS, type ErrorCode, FedweaveError, isErrorCode } from './core/errors.ts'
export { type ClientId, clientId, clientIdBytes, clientIdOf, type TaskId, taskId } from './core/ids.ts'
export { openBox, sealBox, sharedKey } from './crypto/box.ts'
export { type Curves, naclCurves } from './crypto/curves.ts'
export { hash, hkdf, mac, sha256, verifyMac } from './crypto/kdf.ts'
export { type Accumulator, expand, PRG_KEY_BYTES, type Prg } from './crypto/prg.ts'
export { noblePrg } from './crypto/prg-noble.ts'
export { openSeal, seal, sealedBytes } from './crypto/seal.ts'
export { naclSecretbox, nobleSecretbox, type Secretbox } from './crypto/secretbox.ts'
export { combineShares, lagrangeAtZero, MAX_SHARES, splitSecret } from './crypto/shamir.ts'
export { clipL2InPlace } from './quantise/clip.ts'
export { Counters, type RoundCounters } from './quantise/counters.ts'
export { TensorLayout, type TensorSpec } from './quantise/layout.ts'
export { Quantiser } from './quantise/quantiser.ts'
export { Ring } from './quantise/ring.ts'
export { type JournalPins, type JournalReport, verifyJournal } from './round/verify.ts'
export { clientAccepts, clientDeadline, stepClient } from './secagg/client.ts'
export { collectCertificate } from './secagg/client-abort.ts'
export type {
  AbortCertificate,
  ClientEffect,
  ClientEnv,
  ClientInput,
  ClientState,
  ClientStep,
  LedgerHead,
  LedgerView,
} from './secagg/client-state.ts'
export { contextOf, entryId, pairKey, sealKey } from './secagg/context.ts'
export { coordinatorAccepts, coordinatorDeadline, openRound, roundOf, stepCoordinator } from './secagg/coordinator.ts'
export { encodeRound, resumeRound } from './secagg/coordinator-record.ts'
export type {
  CoordinatorEffect,
  CoordinatorEnv,
  CoordinatorInput,
  CoordinatorState,
  CoordinatorStep,
  RoundBase,
} from './secagg/coordinator-state.ts'
export { isFault } from './secagg/fault.ts'
export {
  certify,
  channelStatement,
  coordinatorStatement,
  proofStatement,
  verifyCertificate,
  verifyRosterEntry,
} from './secagg/identity.ts'
export { JOIN_TOKEN_MS, type JoinToken, joinToken, signJoinToken, verifyJoinToken } from './secagg/join-token.ts'
export {
  ENTRY_VERSION,
  type EntryLink,
  entryLink,
  type JournalBody,
  type JournalEntry,
  openEntry,
  signEntry,
} from './secagg/journal.ts'
export type { Segments, SignedMask } from './secagg/masks.ts'
export { completeGraph, type GraphParams, type GraphRule, graphOf } from './secagg/params.ts'
export { countsOf, LARGEST_COMPLETE_GRAPH, type SparseGraph, sparseGraph } from './secagg/sparse-graph.ts'
export { masksOf, partsOfUnmasking, planUnmasking, rebuildMasks, type UnmaskingPlan } from './secagg/unmask.ts'
export { type Aggregate, type LocalUpdate, UpdateFormat, type UpdateSum } from './secagg/update.ts'
export { decodeAggregate, encodeAggregate } from './strategies/aggregate-record.ts'
export { type CohortMean, combineCohorts } from './strategies/combine.ts'
export { fedAvg } from './strategies/fedavg.ts'
export { nextWeights } from './strategies/next-weights.ts'
export type { Strategy, StrategyResult } from './strategies/strategy.ts'
export {
  COMBINE_RULES,
  type CombineRule,
  type Eligibility,
  fewestClients,
  largestRoster,
  parseTaskConfig,
  RUNTIMES,
  type Runtime,
  roundsOfBurst,
  type TaskConfig,
  weightOf,
} from './task/config.ts'
export type { Evaluation } from './task/evaluation.ts'
export { isRegressor, type ModelSpec } from './task/model-spec.ts'
export { checkLossFits, LOSSES, type Loss, type TrainingPlan } from './task/plan.ts'
export { type OpenedConfig, openConfig, signConfig } from './task/signed-config.ts'
export { decode, encode } from './wire/codec.ts'
export {
  type ClientMessage,
  decodeClientMessage,
  decodeServerMessage,
  encodeClientMessage,
  encodeServerMessage,
  MAX_CLIENT_MESSAGE_BYTES,
  type ServerMessage,
} from './wire/messages.ts'
export { type Certificate, certificate, MAX_COHORT, type RosterEntry } from './wire/records.ts'
export { negotiate, PROTOCOL_VERSIONS } from './wire/version.ts'
