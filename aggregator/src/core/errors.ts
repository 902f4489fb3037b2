/** One table of error codes: HTTP status where it reaches the wire, and what the reader can do about it. */
export const ERRORS = {
  FL_CLIENT_ID_INVALID: { status: 400, cure: 'Use the 32 lowercase hex digits that `clientIdOf(identityKey)` gives.' },
  FL_TASK_ID_INVALID: { status: 400, cure: 'Use 1 to 64 characters: lowercase letters, digits, "-", "_".' },
  FL_CONFIG_INVALID: { status: 400, cure: 'Correct the named field; `docs/reference/task-config.md` lists what each one takes.' },
  FL_MESSAGE_MALFORMED: {
    status: 400,
    cure: 'Send messages as `docs/protocol/v1.md` lays them out; a client of the same version does.',
  },
  FL_PROTOCOL_VERSION: { status: 426, cure: 'Install client and server releases that share a protocol version.' },
  FL_IDENTITY_PROOF: { status: 401, cure: "Sign this connection's challenge with the identity key that the certificate names." },
  FL_CERTIFICATE_INVALID: {
    status: 403,
    cure: 'Enrol again: ask whoever holds the enrolment key for a certificate of this identity.',
  },
  FL_ENROLMENT_REFUSED: {
    status: 403,
    cure: 'Ask the operator for a new invite token, or sign in again for a new JWT, and enrol with it.',
  },
  FL_ORIGIN_REFUSED: { status: 403, cure: "Add the page's origin to `origins` in the server's config." },
  FL_OPERATOR_ONLY: {
    status: 401,
    cure: "Send `Authorization: Bearer` with the operator's API key, which is in `operator-api.key` of the data folder, or its JWT.",
  },
  FL_RATE_LIMITED: {
    status: 429,
    cure: 'Slow down: ask again after the time in `retry-after`, or raise the limit that the message names.',
  },
  FL_SERVER_BUSY: { status: 503, cure: 'Come back after the time in `retry-after`; the server is full or about to stop.' },
  FL_SESSION_INVALID: { status: 401, cure: 'Connect again and use the session token of that connection.' },
  FL_SESSION_REPLACED: {
    status: 409,
    cure: 'Run one client for each identity; close the other one or give it a store of its own.',
  },
  FL_TASK_UNKNOWN: { status: 404, cure: 'Check the task id; `GET /v1/tasks` lists what the server offers.' },
  FL_TASK_EXISTS: { status: 409, cure: 'Choose another id, or delete the task that has it.' },
  FL_TASK_STATE: {
    status: 409,
    cure: 'Look at its state with `fedweave task show`; a task is deleted once it is stopped or finished.',
  },
  FL_TASK_PAUSED: { status: 503, cure: 'Nothing to do: the client is invited once the operator resumes the task.' },
  FL_MODEL_UNKNOWN: { status: 404, cure: 'Ask for a hash that a round announced; old checkpoints may have been removed.' },
  FL_WRONG_PHASE: { status: 409, cure: 'Wait for the phase that takes this message; it changed nothing.' },
  FL_ROUND_STALE: { status: 409, cure: 'Drop this message; wait for the next invitation.' },
  FL_NOT_IN_ROSTER: { status: 403, cure: 'Wait until this client is invited to a round.' },
  FL_DUPLICATE: { status: 409, cure: 'Nothing to do: the first one counted.' },
  FL_UPDATE_SHAPE: { status: 422, cure: "Send exactly the sealed bytes that this round's config asks for." },
  FL_SEAL_BROKEN: {
    status: 422,
    cure: "Seal the update to this round's coordinator key; check that nothing rewrites the upload.",
  },
  FL_STAGING_FULL: { status: 503, cure: 'Send the upload again after the time in `retry-after`.' },
  FL_UPLOAD_TIMEOUT: {
    status: 408,
    cure: 'Send the upload again on a faster link, or raise `limits.uploadDeadlineMs` on the server.',
  },
  FL_TOO_FEW_CLIENTS: {
    status: 503,
    cure: 'Start more clients, lower `cohort.minimum`, or raise `deadlines.recruitingMs` in the task.',
  },
  FL_TOO_FEW_SURVIVORS: {
    status: 503,
    cure: 'The round is repeated; if it happens often raise the deadlines or `cohort.overSelection`.',
  },
  FL_TOO_FEW_SHARES: { status: 503, cure: 'The round is repeated; if it happens often raise `deadlines.unmaskingMs`.' },
  FL_ROUND_ABORTED: { status: 503, cure: 'Nothing to do: the client takes part in the next round.' },
  FL_SERVER_UNREACHABLE: { status: 502, cure: 'Check the URL, that the server runs, and that nothing blocks the connection.' },
  FL_SERVER_FAULT: { status: 500, cure: "Look at the server's log; the round was given up and nothing was released." },
  FL_PROTOCOL_VIOLATION: {
    status: 400,
    cure: 'Do not use this server: it broke a rule that keeps updates secret. Report what the message names.',
  },
  FL_PIN_MISMATCH: { status: 403, cure: 'Check the pinned key with the operator over another channel before you change it.' },
  FL_BASE_SPENT: { status: 409, cure: 'Wait for the next committed model: this client already sent an update on this one.' },
  FL_MODEL_HASH: { status: 502, cure: 'Fetch the model again; if it repeats, the server or a proxy alters it.' },
  FL_DATASET_SHAPE: { status: 400, cure: "Give examples in the shape and the label range of the task's model." },
  FL_NOT_ELIGIBLE: {
    status: 403,
    cure: "Meet the condition that the message names; `eligibility` of `GET /v1/tasks/:task` lists all of the task's.",
  },
  FL_DATASET_UNAVAILABLE: { status: 502, cure: 'Put the file where the message says, or let this machine reach its publisher.' },
  FL_NON_FINITE: { status: 400, cure: 'Lower the learning rate and check the data for NaN or infinite values.' },
  FL_OUT_OF_RANGE: { status: 400, cure: 'Give a value inside the range that the message names.' },
  FL_MODEL_UNSUPPORTED: { status: 400, cure: 'Use layers that TensorFlow.js can load and differentiate.' },
  FL_TRAINER_CRASHED: { status: 500, cure: 'Train again; if it repeats, use a smaller batch or give the process more memory.' },
  FL_DEPENDENCY_MISSING: { status: 500, cure: 'Install the package that the message names.' },
  FL_BROWSER_UNSUPPORTED: { status: 501, cure: 'Update the browser, or use another one; a lockdown mode may switch this off.' },
  FL_STORAGE_DENIED: {
    status: 507,
    cure: 'Leave private browsing, allow this site to keep data, or free some space; without it a reload makes a new client.',
  },
  FL_KEYSTORE: { status: 400, cure: 'Give the right passphrase, or move the damaged file away and enrol again.' },
  FL_STORE_DAMAGED: { status: 500, cure: 'Restore the named file from a copy; the server does not start on a damaged history.' },
  FL_STOPPED: { status: 499, cure: 'Nothing to do: the caller asked for it.' },
  FL_USAGE: { status: 400, cure: 'See `fedweave --help`.' },
} as const satisfies Record<string, { status: number; cure: string }>

export type ErrorCode = keyof typeof ERRORS

/** The one error class. `message` says what happened, `cure` what to do; `code` is stable. */
export class FedweaveError extends Error {
  readonly code: ErrorCode
  readonly cure: string

  constructor(code: ErrorCode, message: string, options: { readonly cause?: unknown; readonly cure?: string } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'FedweaveError'
    this.code = code
    this.cure = options.cure ?? ERRORS[code].cure
  }

  get status(): number {
    return ERRORS[this.code].status
  }

  toJSON(): { code: ErrorCode; message: string; cure: string } {
    return { code: this.code, message: this.message, cure: this.cure }
  }
}

export function isErrorCode(raw: string): raw is ErrorCode {
  return Object.hasOwn(ERRORS, raw)
}
