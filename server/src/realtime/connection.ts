import { randomBytes } from 'node:crypto'
import {
  type ClientMessage,
  channelStatement,
  decodeClientMessage,
  encodeServerMessage,
  FedweaveError,
  fromHex,
  negotiate,
  PROTOCOL_VERSIONS,
  proofStatement,
  taskId,
  verifyCertificate,
} from '@fedweave/aggregator'
import type { ServerKeys } from '../coordinator/identity.ts'
import type { Member } from '../coordinator/members.ts'
import type { Peer } from '../coordinator/peer.ts'
import { refusal } from '../coordinator/refusal.ts'
import type { Task } from '../coordinator/task.ts'
import type { Buckets } from '../limits/buckets.ts'

type Hello = Extract<ClientMessage, { type: 'hello' }>

export interface ConnectionOptions {
  readonly keys: ServerKeys
  readonly tasks: ReadonlyMap<string, Task>
  readonly peer: Peer
  /** A connection that has not said a valid hello by then is closed. */
  readonly handshakeMs: number
  /** Rate of messages, by client. */
  readonly messages: Buckets
}

/**
 * One connection's conversation, whatever carries it: challenge, hello, welcome, then the task's messages. Whatever the
 * other side sends is answered or refused here; nothing throws out of `receive`.
 */
export class Connection {
  readonly #keys: ServerKeys
  readonly #tasks: ReadonlyMap<string, Task>
  readonly #peer: Peer
  readonly #nonce = new Uint8Array(randomBytes(32))
  readonly #messages: Buckets
  readonly #helloTimer: NodeJS.Timeout
  #joined: { readonly task: Task; readonly member: Member } | undefined

  constructor({ keys, tasks, peer, handshakeMs, messages }: ConnectionOptions) {
    this.#keys = keys
    this.#tasks = tasks
    this.#peer = peer
    this.#messages = messages
    this.#helloTimer = setTimeout(() => peer.close(), handshakeMs)
    const { coordinatorKey, operatorKey, coordinatorSignature: signature } = keys
    peer.send(
      encodeServerMessage({
        type: 'challenge',
        versions: PROTOCOL_VERSIONS,
        nonce: this.#nonce,
        coordinatorKey,
        operatorKey,
        signature,
      }),
    )
  }

  receive(raw: Uint8Array): void {
    try {
      if (this.#joined !== undefined) this.#pace(this.#joined.member)
      const message = decodeClientMessage(raw)
      if (this.#joined !== undefined) this.#joined.task.receive(this.#joined.member, message)
      else if (message.type === 'hello') this.#hello(message)
      else throw new FedweaveError('FL_WRONG_PHASE', `"${message.type}" came before hello`)
    } catch (error) {
      if (!(error instanceof FedweaveError)) throw error
      this.#refuse(error, this.#joined === undefined || error.code === 'FL_RATE_LIMITED')
    }
  }

  closed(): void {
    clearTimeout(this.#helloTimer)
    this.#joined?.task.leave(this.#joined.member, this.#peer)
  }

  /** Over all connections of the client: to reconnect does not start afresh. */
  #pace({ id }: Member): void {
    if (!this.#messages.take(id, performance.now()))
      throw new FedweaveError('FL_RATE_LIMITED', 'more messages from one client than `limits.messagesPerSecond` allows')
  }

  #hello(hello: Hello): void {
    const version = negotiate(hello.versions)
    const task = this.#tasks.get(hello.task)
    if (task === undefined) throw new FedweaveError('FL_TASK_UNKNOWN', `this server has no task ${JSON.stringify(hello.task)}`)
    this.#checkIdentity(hello, task)
    clearTimeout(this.#helloTimer)
    const { certificate, channelKey, channelSignature } = hello
    const session = new Uint8Array(randomBytes(32))
    const member = task.join(
      { certificate, channelKey, channelSignature },
      Buffer.from(session).toString('hex'),
      this.#peer,
      (activeContext) => {
        const { signedConfig: config, signedHead: head } = task.history
        this.#peer.send(encodeServerMessage({ type: 'welcome', version, session, config, head, activeContext }))
      },
    )
    this.#joined = { task, member }
  }

  #checkIdentity(hello: Hello, task: Task): void {
    const { curves, coordinatorKey } = this.#keys
    const { certificate, channelKey, channelSignature, proof } = hello
    const { identityKey } = certificate
    const id = taskId(hello.task)
    const enrolmentKey = fromHex(task.history.config.enrolment.key)
    if (!verifyCertificate(curves, enrolmentKey, certificate, Date.now())) {
      throw new FedweaveError(
        'FL_CERTIFICATE_INVALID',
        'the certificate is expired, or not signed by the enrolment key of this task',
      )
    }
    const proven =
      curves.verify(identityKey, proofStatement(this.#nonce, id, channelKey), proof) &&
      curves.verify(identityKey, channelStatement(id, channelKey, coordinatorKey), channelSignature)
    if (!proven)
      throw new FedweaveError('FL_IDENTITY_PROOF', "the hello is not signed by the certificate's identity for this connection")
  }

  #refuse(error: FedweaveError, fatal: boolean): void {
    this.#peer.send(encodeServerMessage(refusal(error, fatal)))
    if (fatal) this.#peer.close()
  }
}
