import type { Entropy } from '../core/entropy.ts'
import type { ErrorCode } from '../core/errors.ts'
import type { ClientId } from '../core/ids.ts'
import type { Curves } from '../crypto/curves.ts'
import type { TaskConfig } from '../task/config.ts'
import type { ClientMessage, ServerMessage } from '../wire/messages.ts'
import type { Member, RosterEntry } from '../wire/records.ts'
import type { SignedMask } from './masks.ts'
import type { GraphParams, GraphRule } from './params.ts'
import type { SharedKeys } from './shared-keys.ts'
import type { HeldShares } from './shares.ts'

/** What one client knows for a whole session. `channelSecret` and `identitySeed` never leave it. */
export interface ClientEnv {
  readonly curves: Curves
  readonly entropy: Entropy
  readonly id: ClientId
  readonly identitySeed: Uint8Array
  readonly channelSecret: Uint8Array
  readonly config: TaskConfig
  readonly configHash: Uint8Array
  readonly operatorKey: Uint8Array
  readonly coordinatorKey: Uint8Array
  readonly enrolmentKey: Uint8Array
  readonly verified: Set<string>
  /** How this party computes the round's graph. Absent: `graphOf`; only tests and benches put another rule in its place. */
  readonly graphOf?: GraphRule | undefined
}

/** The committed journal entry that a client last saw. */
export interface LedgerHead {
  readonly index: number
  readonly hash: Uint8Array
  readonly modelHash: Uint8Array
}

/** What the client's durable ledger says of this task when a round starts. */
export interface LedgerView {
  readonly highestRound: number
  readonly head: LedgerHead | undefined
}

/** What stays the same from `start` to the end of the round. */
export interface ClientRound {
  readonly round: number
  readonly context: Uint8Array
  readonly modelHash: Uint8Array
  readonly graph: GraphParams
  readonly roster: readonly RosterEntry[]
  /** The roster's ids in its order, and the place of each. */
  readonly ids: readonly ClientId[]
  readonly places: ReadonlyMap<ClientId, number>
  /** This client's own place. */
  readonly own: number
  readonly head: LedgerHead
  readonly shared: SharedKeys
  /** With the coordinator. */
  readonly sealShared: Uint8Array
}

/** Secrets of one round; wiped when it ends. */
export interface RoundSecrets {
  readonly maskSecret: Uint8Array
  readonly selfSeed: Uint8Array
  /** This client's own share of its own secrets. */
  readonly own: HeldShares
}

/** After the relay: U1, and the shares of its members that opened. */
export interface Membership {
  readonly members: readonly Member[]
  readonly u1Digest: Uint8Array
  /** By dealer, this client included. */
  readonly held: ReadonlyMap<ClientId, HeldShares>
}

/** After the acks: the part of U1 that masks are among, and the digest that salts them. */
export interface Active extends Membership {
  readonly active: readonly ClientId[]
  readonly activeDigest: Uint8Array
}

/** The round and the base that the host, who knows which bases are spent, agreed to; nothing else may start. */
export interface Invitation {
  readonly round: number
  readonly modelHash: Uint8Array
  /** Fresh, this client's own. */
  readonly nonce: Uint8Array
}

interface Running {
  readonly facts: ClientRound
  /** This client as the others see it. */
  readonly mine: Member
  /** Digests of the server's messages so far, by type: a second one that differs is an attack. */
  readonly seen: ReadonlyMap<string, string>
  readonly deadline: number
}

export type ClientState =
  | { readonly phase: 'idle' }
  | ({ readonly phase: 'recruiting'; readonly deadline: number } & Invitation)
  | ({
      readonly phase: 'setup'
      readonly secrets: RoundSecrets
      readonly trained: boolean
      readonly membership: Membership | undefined
    } & Running)
  | ({
      readonly phase: 'collecting'
      readonly membership: Active
      readonly masks: readonly SignedMask[] | undefined
    } & Running)
  | ({ readonly phase: 'confirming'; readonly membership: Active; readonly survivors: readonly ClientId[] } & Running)
  | ({ readonly phase: 'unmasking'; readonly survivors: readonly ClientId[] } & Running)
  | { readonly phase: 'completed'; readonly round: number }
  | {
      readonly phase: 'aborted'
      readonly round: number
      readonly code: ErrorCode
      readonly message: string
      /** Set while an upload of this round waits for its abort certificate. */
      readonly certificate: AbortCertificate | undefined
    }

/** Statements of share-holders that this round was aborted and that they released nothing. */
export interface AbortCertificate {
  readonly context: Uint8Array
  readonly modelHash: Uint8Array
  readonly needed: number
  /** Keys of the directional abort MACs, by holder. */
  readonly keys: ReadonlyMap<ClientId, Uint8Array>
  readonly holders: ReadonlySet<ClientId>
}

type Message<T extends ServerMessage['type']> = Extract<ServerMessage, { type: T }>

export type ClientInput =
  | Message<'invite'>
  | (Message<'start'> & { readonly ledger: LedgerView })
  | Message<'relay' | 'acks' | 'survivors' | 'confirms' | 'result' | 'abort' | 'aborts'>
  /** Local training has a delta ready. */
  | { readonly type: 'trained' }
  /** The host could not do its part: training failed, the connection is gone for good, the user left. */
  | { readonly type: 'fail'; readonly code: ErrorCode; readonly message: string }
  | { readonly type: 'tick' }

/** Carried out in order; one that fails ends the round before the next is begun. */
export type ClientEffect =
  | { readonly type: 'send'; readonly message: ClientMessage }
  /** Make this round number and head durable before anything else. */
  | { readonly type: 'remember'; readonly round: number; readonly head: LedgerHead }
  | { readonly type: 'train'; readonly round: number; readonly modelHash: Uint8Array }
  /** Make (task, base model) spent, durably, before the first byte of the upload leaves. */
  | { readonly type: 'spend'; readonly modelHash: Uint8Array; readonly context: Uint8Array }
  | {
      readonly type: 'upload'
      readonly round: number
      readonly context: Uint8Array
      readonly masks: readonly SignedMask[]
      readonly sealKey: Uint8Array
    }
  /** The abort certificate is complete: the base is no longer spent. */
  | { readonly type: 'reopen'; readonly modelHash: Uint8Array; readonly context: Uint8Array }
  | { readonly type: 'committed'; readonly head: LedgerHead; readonly entry: Uint8Array }
  | { readonly type: 'aborted'; readonly code: ErrorCode; readonly message: string; readonly uploaded: boolean }

export interface ClientStep {
  readonly state: ClientState
  readonly effects: readonly ClientEffect[]
}
