import {
  type Curves,
  decode,
  FedweaveError,
  fromHex,
  JOIN_TOKEN_MS,
  joinToken,
  toHex,
  verifyCertificate,
  verifyJoinToken,
} from '@fedweave/aggregator'

/** An encoded token in hex: anything much longer is refused unread. */
const MOST_HEX = 1024
const SWEEP_AT = 1000

/** Lets only those open a connection whom the enrolment key certified, and each of their tokens only once. */
export class JoinGate {
  readonly #curves: Curves
  readonly #enrolmentKey: Uint8Array
  /** Time of the last token of each identity, as far back as a token may lie. */
  readonly #last = new Map<string, number>()
  #sweepAt = SWEEP_AT

  constructor(curves: Curves, enrolmentKey: Uint8Array) {
    this.#curves = curves
    this.#enrolmentKey = enrolmentKey
  }

  /** `raw`: the token as the client shows it. Throws `FL_CERTIFICATE_INVALID`, `FL_IDENTITY_PROOF`. */
  admit(raw: string | undefined, now: number): void {
    if (raw === undefined || raw === '') throw new FedweaveError('FL_IDENTITY_PROOF', 'the connection shows no join token')
    const token = parse(raw)
    if (!verifyCertificate(this.#curves, this.#enrolmentKey, token.certificate, now)) {
      throw new FedweaveError(
        'FL_CERTIFICATE_INVALID',
        'the certificate is expired, or not signed by the enrolment key of this server',
      )
    }
    const identity = toHex(token.certificate.identityKey)
    if ((this.#last.get(identity) ?? 0) >= token.at) {
      throw new FedweaveError('FL_IDENTITY_PROOF', 'the join token was used before, or is older than the last one')
    }
    if (!verifyJoinToken(this.#curves, token, now)) {
      throw new FedweaveError('FL_IDENTITY_PROOF', 'the join token is not signed by its identity, or not of this time', {
        cure: 'Set the clock of this device; it must be within five minutes of the server.',
      })
    }
    this.#remember(identity, token.at, now)
  }

  #remember(identity: string, at: number, now: number): void {
    this.#last.set(identity, at)
    if (this.#last.size < this.#sweepAt) return
    for (const [key, last] of this.#last) if (last < now - JOIN_TOKEN_MS) this.#last.delete(key)
    this.#sweepAt = Math.max(SWEEP_AT, 2 * this.#last.size)
  }
}

function parse(raw: string) {
  try {
    if (raw.length <= MOST_HEX) return decode(joinToken, fromHex(raw))
  } catch (error) {
    if (!(error instanceof FedweaveError)) throw error
  }
  throw new FedweaveError('FL_IDENTITY_PROOF', 'the join token is malformed')
}
