/** The other end of one connection, whatever carries it. */
export interface Peer {
  /** Sends one encoded server message; never throws. */
  send(raw: Uint8Array): void
  /** Closes the connection after what was sent. */
  close(): void
}
