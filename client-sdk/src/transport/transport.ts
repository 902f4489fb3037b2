/** What a transport tells its session. */
export interface TransportHandlers {
  /** A new connection stands; the server speaks first. Called again after each reconnection. */
  opened(): void
  /** One encoded server message. */
  message(raw: Uint8Array): void
  /** The connection broke; the transport is already trying to restore it. */
  closed(): void
  /** The connection could not be restored in time: `FL_SERVER_UNREACHABLE`. */
  lost(error: Error): void
}

/** `proof`: signature of the identity, as the protocol lays it out; `token`: an invite token or a JWT. Keys in hex. */
export interface EnrolmentRequest {
  readonly identityKey: string
  readonly proof: string
  readonly token?: string
  /** Base URL of the enrolment service, where the caller knows it from the operator. */
  readonly url?: string
}

/**
 * The way to one server: a control plane of small messages and a bulk plane for models and updates. Implementations:
 * `socketTransport` over the network, `memoryTransport` inside one process.
 */
export interface Transport {
  /**
   * Resolves once connected; `joinToken` makes the encoded token that each attempt shows. Throws `FL_SERVER_UNREACHABLE`, or the
   * reason for which the server admits no connection.
   */
  open(handlers: TransportHandlers, signal: AbortSignal, joinToken: () => Uint8Array): Promise<void>
  /** Sends one encoded client message on the connection that stands; dropped when there is none. */
  send(raw: Uint8Array): void
  /** The bytes under that model hash. Throws the server's typed error, or `FL_SERVER_UNREACHABLE`. */
  model(task: string, hash: string, signal: AbortSignal): Promise<Uint8Array>
  /** Sends a whole sealed update; resolves when it counted. Throws the server's typed error, or `FL_SERVER_UNREACHABLE`. */
  upload(
    upload: { readonly task: string; readonly context: string; readonly session: string; readonly sealed: Uint8Array },
    signal: AbortSignal,
  ): Promise<void>
  /**
   * Asks for a certificate: of the server at `url`, else where this one says that clients enrol. Throws `FL_CERTIFICATE_INVALID`
   * where that is not online, `FL_ENROLMENT_REFUSED` when the token is not good for it.
   */
  enrol(request: EnrolmentRequest, signal: AbortSignal): Promise<Uint8Array>
  close(): void
}
