import { type Certificate, type Curves, certify, FedweaveError, hash } from '@fedweave/aggregator'

/** Who may enrol. */
export interface EnrolmentCheck {
  readonly mode: 'open' | 'token' | 'jwt'
  /** Throws `FL_ENROLMENT_REFUSED`. The same identity with the same token is admitted again. */
  admit(identityKey: Uint8Array, token: string | undefined): Promise<void>
}

/** Certifies whoever asks. For demonstrations: one person can be any number of clients. */
export const openToAll: EnrolmentCheck = { mode: 'open', admit: async () => undefined }

export interface DeskOptions {
  readonly curves: Curves
  /** Ed25519 seed that certifies clients. */
  readonly seed: Uint8Array
  readonly check?: EnrolmentCheck
  /** How long a certificate is in force; default 90. */
  readonly days?: number
}

export interface EnrolmentRequest {
  readonly identityKey: Uint8Array
  /** The identity's signature over `H("fw1/enrol", identityKey)`. */
  readonly proof: Uint8Array
  readonly token?: string | undefined
}

/** Holds the enrolment key: checks who asks, and certifies identities. In the server, or better in a process of its own. */
export class EnrolmentDesk {
  /** Ed25519 public key. */
  readonly key: Uint8Array
  readonly #options: Required<DeskOptions>

  constructor({ check = openToAll, days = 90, ...options }: DeskOptions) {
    this.#options = { check, days, ...options }
    this.key = options.curves.ed25519Public(options.seed)
  }

  get mode(): EnrolmentCheck['mode'] {
    return this.#options.check.mode
  }

  /** Throws `FL_IDENTITY_PROOF`, `FL_ENROLMENT_REFUSED`. */
  async enrol({ identityKey, proof, token }: EnrolmentRequest): Promise<Certificate> {
    const { curves, seed, check, days } = this.#options
    if (!curves.verify(identityKey, hash('fw1/enrol', identityKey), proof)) {
      throw new FedweaveError('FL_IDENTITY_PROOF', 'the proof is not a signature of the identity key')
    }
    await check.admit(identityKey, token)
    return certify(curves, seed, identityKey, Math.floor(Date.now() / 1000) + days * 86_400)
  }
}
