import { FedweaveError } from '../core/errors.ts'

/** Protocol versions that this release speaks, best first. */
export const PROTOCOL_VERSIONS = ['fedweave/v1'] as const
export type ProtocolVersion = (typeof PROTOCOL_VERSIONS)[number]

/** The best version that both sides speak. Throws `FL_PROTOCOL_VERSION` naming both lists. */
export function negotiate(offered: readonly string[]): ProtocolVersion {
  const common = PROTOCOL_VERSIONS.find((version) => offered.includes(version))
  if (common === undefined) {
    throw new FedweaveError(
      'FL_PROTOCOL_VERSION',
      `no common protocol version: here ${PROTOCOL_VERSIONS.join(', ')}; there ${offered.join(', ') || 'none'}`,
    )
  }
  return common
}
