/** Why a client takes no part just now. */
export type WaitReason =
  | 'paused'
  | 'page-hidden'
  | 'page-visible'
  | 'battery-low'
  | 'not-charging'
  | 'metered-network'
  | 'too-few-examples'

/** Open while nothing speaks against taking part. Sources set their own reasons and know nothing of each other's. */
export class Gate {
  readonly #reasons = new Map<string, readonly WaitReason[]>()
  readonly #changed: (reasons: readonly WaitReason[]) => void
  #waiting: (() => void)[] = []

  /** `changed` hears of every change, with all reasons; none means that the gate is open. */
  constructor(changed: (reasons: readonly WaitReason[]) => void) {
    this.#changed = changed
  }

  get reasons(): readonly WaitReason[] {
    return [...this.#reasons.values()].flat()
  }

  get isOpen(): boolean {
    return this.reasons.length === 0
  }

  set(source: string, reasons: readonly WaitReason[]): void {
    const before = this.reasons.join()
    this.#reasons.set(source, reasons)
    if (this.reasons.join() === before) return
    this.#changed(this.reasons)
    if (this.isOpen) this.release()
  }

  /** Resolves when the gate is open, or `release` is called. */
  opened(): Promise<void> {
    return this.isOpen ? Promise.resolve() : new Promise((resolve) => this.#waiting.push(resolve))
  }

  /** Lets everybody go on who waits, as when the client leaves. */
  release(): void {
    for (const resolve of this.#waiting.splice(0)) resolve()
  }
}
