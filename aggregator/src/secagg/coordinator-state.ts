import type { ErrorCode } from '../core/errors.ts'
import type { ClientId } from '../core/ids.ts'
import type { Curves } from '../crypto/curves.ts'
import type { TaskConfig } from '../task/config.ts'
import type { ClientMessage, ServerMessage } from '../wire/messages.ts'
import type { Member, RosterEntry } from '../wire/records.ts'
import type { GraphParams, GraphRule } from './params.ts'

/** What the coordinator knows for one run of the server. */
export interface CoordinatorEnv {
  readonly curves: Curves
  readonly config: TaskConfig
  readonly configHash: Uint8Array
  readonly coordinatorSecret: Uint8Array
  readonly coordinatorKey: Uint8Array
  /** How this party computes the round's graph. Absent: `graphOf`; only tests and benches put another rule in its place. */
  readonly graphOf?: GraphRule | undefined
}

type Message<T extends ClientMessage['type']> = Extract<ClientMessage, { type: T }>

/** Fixed when the round opens. */
export interface RoundBase {
  readonly round: number
  readonly modelHash: Uint8Array
  /** Last committed journal entry, signed, and its hash. */
  readonly head: Uint8Array
  readonly headHash: Uint8Array
}

/** Fixed when recruiting ends. */
export interface CoordinatorRound extends RoundBase {
  readonly context: Uint8Array
  readonly graph: GraphParams
  readonly roster: readonly RosterEntry[]
  /** The roster's ids in its order, and the place of each. */
  readonly ids: readonly ClientId[]
  readonly places: ReadonlyMap<ClientId, number>
}

interface Running {
  readonly facts: CoordinatorRound
  readonly deadline: number
  /** Clients whose connection is gone: nobody waits for them, but what they still send counts. */
  readonly gone: ReadonlySet<ClientId>
  readonly setups: ReadonlyMap<ClientId, Message<'setup'>>
}

export interface Collected extends Running {
  readonly members: readonly Member[]
  readonly u1Digest: Uint8Array
}

/** After the acks. */
export interface Activated extends Collected {
  /** Places of the members whose acks were relayed: the masks are among them. */
  readonly active: readonly number[]
  readonly activeDigest: Uint8Array
}

export interface Surviving extends Activated {
  readonly survivors: readonly ClientId[]
  readonly confirms: ReadonlyMap<ClientId, Message<'confirm'>>
}

export interface Answered extends Surviving {
  readonly answers: ReadonlyMap<ClientId, UnmaskAnswer>
}

export type CoordinatorState =
  | {
      readonly phase: 'recruiting'
      readonly base: RoundBase
      readonly invited: ReadonlySet<ClientId>
      readonly entries: ReadonlyMap<ClientId, RosterEntry>
      readonly deadline: number
    }
  | ({ readonly phase: 'setup' } & Running)
  | ({
      readonly phase: 'collecting'
      /** Absent until the acks are relayed. */
      readonly activated: Pick<Activated, 'active' | 'activeDigest'> | undefined
      readonly acks: ReadonlyMap<ClientId, Message<'ack'>>
      readonly ackDeadline: number
      /** Digest of the upload that was added to the sum, by client. */
      readonly uploaded: ReadonlyMap<ClientId, string>
    } & Collected)
  | ({ readonly phase: 'confirming' } & Surviving)
  | ({ readonly phase: 'unmasking'; readonly shareCounts: ReadonlyMap<ClientId, number> } & Answered)
  | ({ readonly phase: 'completed' } & Answered)
  | { readonly phase: 'aborted'; readonly round: number; readonly code: ErrorCode; readonly message: string }

/** The shares of one holder that matched their commitments, by owner. */
export interface UnmaskAnswer {
  readonly selfSeed: ReadonlyMap<ClientId, Uint8Array>
  readonly maskKey: ReadonlyMap<ClientId, Uint8Array>
}

export type CoordinatorInput =
  | { readonly type: 'ready'; readonly from: ClientId; readonly round: number; readonly entry: RosterEntry }
  | { readonly type: 'declined'; readonly from: ClientId; readonly round: number }
  | { readonly type: 'message'; readonly from: ClientId; readonly message: Message<'setup' | 'ack' | 'confirm' | 'unmask'> }
  /** The sealed update arrived whole and opened; `digest` names its bytes. */
  | { readonly type: 'uploaded'; readonly from: ClientId; readonly context: Uint8Array; readonly digest: string }
  | { readonly type: 'gone'; readonly from: ClientId }
  | { readonly type: 'back'; readonly from: ClientId }
  /** The host cannot go on, for example because rebuilding failed. */
  | { readonly type: 'fail'; readonly code: ErrorCode; readonly message: string }
  | { readonly type: 'tick' }

/** Carried out in order. */
export type CoordinatorEffect =
  | { readonly type: 'send'; readonly to: ClientId; readonly message: ServerMessage }
  | { readonly type: 'reject'; readonly to: ClientId; readonly code: ErrorCode; readonly message: string }
  /** Add this client's opened update to the sum. */
  | { readonly type: 'accumulate'; readonly from: ClientId }
  /** Make the round, as `encodeRound` gives it, and its masked sum durable before the next effect. */
  | { readonly type: 'persist-round' }
  /** A holder's share did not match its dealer's commitment; it was left out. */
  | { readonly type: 'blame'; readonly holder: ClientId; readonly owner: ClientId }
  /** Rebuild the secrets in `state` and take the masks off the sum. */
  | { readonly type: 'unmask' }
  | { readonly type: 'aborted'; readonly code: ErrorCode; readonly message: string }

export interface CoordinatorStep {
  readonly state: CoordinatorState
  readonly effects: readonly CoordinatorEffect[]
}
