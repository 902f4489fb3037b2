import type { WaitReason } from './gate.ts'

/**
 * When a client may take part. Where a browser does not tell what a condition asks about, the condition counts as met: the Battery
 * Status API exists in Chromium only, the Network Information API in Chromium and partly in Safari.
 */
export interface Conditions {
  /** Only while the page can be seen, or only while it cannot. Default: always; browsers throttle hidden pages, but not their workers. */
  readonly page?: 'visible' | 'hidden'
  /** Least charge of the battery, from 0 to 1, unless it is charging. Default: 0. */
  readonly battery?: number
  /** Only while the device charges. Default: no. */
  readonly charging?: boolean
  /** Only where data costs nothing by the byte: no mobile network, no data saver. Default: no. */
  readonly unmetered?: boolean
  /** Fewest examples that are worth a round. Default: 1. */
  readonly minimumExamples?: number
}

interface Battery extends EventTarget {
  readonly charging: boolean
  readonly level: number
}

interface Connection extends EventTarget {
  readonly type?: string
  readonly saveData?: boolean
}

/** What a page knows about its surroundings. */
export interface Surroundings {
  readonly document: (EventTarget & { readonly visibilityState: string }) | undefined
  readonly connection: Connection | undefined
  readonly battery: () => Promise<Battery | undefined>
}

/** Those of the page that this runs in. */
export function pageSurroundings(): Surroundings {
  const here = navigator as Navigator & { readonly connection?: Connection; getBattery?(): Promise<Battery> }
  return {
    document: typeof document === 'undefined' ? undefined : document,
    connection: here.connection,
    battery: async () => here.getBattery?.().catch(() => undefined), // a policy may forbid it
  }
}

/** Tells `changed` what speaks against taking part, now and with every change. The function that it resolves with ends that. */
export async function watchConditions(
  conditions: Conditions,
  surroundings: Surroundings,
  changed: (reasons: readonly WaitReason[]) => void,
): Promise<() => void> {
  const { page, battery: least = 0, charging = false, unmetered = false } = conditions
  const { document, connection } = surroundings
  const battery = least > 0 || charging ? await surroundings.battery() : undefined
  const tell = () => {
    const reasons: WaitReason[] = []
    if (page !== undefined && document !== undefined && document.visibilityState !== page)
      reasons.push(page === 'visible' ? 'page-hidden' : 'page-visible')
    if (battery !== undefined && !battery.charging) {
      if (charging) reasons.push('not-charging')
      if (battery.level < least) reasons.push('battery-low')
    }
    if (unmetered && (connection?.saveData === true || connection?.type === 'cellular')) reasons.push('metered-network')
    changed(reasons)
  }
  const watched: readonly (readonly [EventTarget | undefined, string])[] = [
    [document, 'visibilitychange'],
    [battery, 'chargingchange'],
    [battery, 'levelchange'],
    [connection, 'change'],
  ]
  for (const [target, type] of watched) target?.addEventListener(type, tell)
  tell()
  return () => {
    for (const [target, type] of watched) target?.removeEventListener(type, tell)
  }
}
