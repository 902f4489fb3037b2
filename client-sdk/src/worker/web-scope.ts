/** What a dedicated worker's global scope offers; the DOM library describes a window's. */
export interface WorkerScope<In = unknown> {
  onmessage: ((event: MessageEvent<In>) => void) | null
  postMessage(message: unknown, transfer: Transferable[]): void
  reportError(error: unknown): void
}

/** The scope of the dedicated worker that this runs in. An unhandled rejection reaches its host, as it does in Node. */
export function workerHost<In>(): WorkerScope<In> {
  const host = globalThis as unknown as WorkerScope<In>
  globalThis.addEventListener('unhandledrejection', ({ reason }) => host.reportError(reason))
  return host
}
