/** What to tell a person, by the code of what went wrong; the error's own words for all others. */
const WORDS: Readonly<Record<string, string>> = {
  FL_BROWSER_UNSUPPORTED:
    'This browser cannot train: it has no WebAssembly SIMD, or a lockdown mode switched it off. Recognition goes on.',
  FL_STORAGE_DENIED:
    'This browser keeps no data for this page, as in private windows. You can take part; after a reload you are somebody new.',
  FL_SESSION_REPLACED: 'Another tab of this browser already takes part. Close it, or go on there.',
  FL_PROTOCOL_VERSION:
    'This page and the server are of different versions. Reload the page; if that does not help, tell the operator.',
  FL_SERVER_BUSY: 'The task is full just now. Try again in a while; recognition works meanwhile.',
  FL_RATE_LIMITED: 'The server asks to slow down. Try again in a minute.',
  FL_SERVER_UNREACHABLE: 'The server cannot be reached. Recognition goes on with the model that is here.',
  FL_PIN_MISMATCH: 'This server is not the one that you were invited to. Nothing was sent.',
  FL_CERTIFICATE_INVALID: 'The server did not let this browser in. Ask whoever invited you for a new link.',
  FL_ENROLMENT_REFUSED: 'Your invitation is used up or out of date. Ask whoever invited you for a new link.',
  FL_TASK_UNKNOWN: 'The task of this link is not on this server.',
}

export function wordsFor(error: unknown): string {
  const { code, message } = (error ?? {}) as { code?: string; message?: string }
  return (code === undefined ? undefined : WORDS[code]) ?? message ?? String(error)
}

export const WAITING = {
  paused: 'Paused by you.',
  'page-hidden': 'Waiting until you look at this page again.',
  'page-visible': 'Waiting until this page is in the background.',
  'battery-low': 'Waiting: the battery is low.',
  'not-charging': 'Waiting until the device charges.',
  'metered-network': 'Waiting for a network that costs nothing by the byte.',
  'too-few-examples': 'Waiting for more examples.',
} as const

/** Phases as they concern the person at this page. */
export const PHASES = {
  recruiting: 'Gathering',
  setup: 'Exchanging keys while each device trains',
  collecting: 'Masked updates arrive',
  confirming: 'Devices confirm who is in',
  unmasking: 'Taking the masks off the sum',
} as const

export function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`
}

export function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`
}
