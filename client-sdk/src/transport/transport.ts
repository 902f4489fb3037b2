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

/**
 * The way to one server: a control plane of small messages and a bulk plane for models and updates. Implementations:
 * `socketTransport` over the network, `memoryTransport` inside one process.
 */
export interface Transport {
  /** Resolves once connected. Throws `FL_SERVER_UNREACHABLE`. */
  open(handlers: TransportHandlers, signal: AbortSignal): Promise<void>
  /** Sends one encoded client message on the connection that stands; dropped when there is none. */
  send(raw: Uint8Array): void
  /** The bytes under that model hash. Throws the server's typed error, or `FL_SERVER_UNREACHABLE`. */
  model(task: string, hash: string, signal: AbortSignal): Promise<Uint8Array>
  /** Sends a whole sealed update; resolves when it counted. Throws the server's typed error, or `FL_SERVER_UNREACHABLE`. */
  upload(
    upload: { readonly task: string; readonly context: string; readonly session: string; readonly sealed: Uint8Array },
    signal: AbortSignal,
  ): Promise<void>
  /** Asks for a certificate where enrolment is open. Throws `FL_CERTIFICATE_INVALID` where it is not. */
  enrol(request: { readonly identityKey: string; readonly proof: string }, signal: AbortSignal): Promise<Uint8Array>
  close(): void
}
