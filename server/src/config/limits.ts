import { type Static, Type } from 'typebox'
import { Value } from 'typebox/value'

const count = (least: number, most: number, fallback: number) =>
  Type.Integer({ minimum: least, maximum: most, default: fallback })
const MEBIBYTE = 1024 * 1024

/** Every bound on what others can make the server do or hold. What is fixed by the protocol is not here. */
export const limits = Type.Object(
  {
    bodyBytes: count(1024, 16 * MEBIBYTE, 64 * 1024),
    handshakeMs: count(100, 60_000, 10_000),
    clients: count(1, 1_000_000, 12_000),
    clientsPerAddress: count(1, 1_000_000, 1000),
    requestsPerSecond: count(1, 1_000_000, 300),
    messagesPerSecond: count(1, 100_000, 50),
    backlogBytes: count(64 * 1024, 1024 * MEBIBYTE, 8 * MEBIBYTE),
    openRounds: count(1, 1000, 16),
    uploadSlots: count(1, 1000, 16),
    uploadsPerClient: count(1, 100, 4),
    uploadBytes: count(MEBIBYTE, 1024 * 1024 * MEBIBYTE, 256 * MEBIBYTE),
    uploadDeadlineMs: count(1000, 3_600_000, 120_000),
    uploadMinimumBytesPerSecond: count(1, 1e9, 1024),
  },
  { additionalProperties: false, default: {} },
)

export type Limits = Static<typeof limits>

/** The defaults, changed where `given` says so. */
export function withDefaults(given: Partial<Limits> = {}): Limits {
  return Value.Default(limits, { ...given }) as Limits
}
