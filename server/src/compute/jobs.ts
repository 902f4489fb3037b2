import { createHash } from 'node:crypto'
import {
  type Curves,
  FedweaveError,
  isFault,
  masksOf,
  openSeal,
  type Prg,
  type Secretbox,
  type Segments,
  UpdateFormat,
} from '@fedweave/aggregator'
import { release } from '@fedweave/aggregator/node'
import type { ExpandJob, OpenedUpload, OpenJob } from './messages.ts'

/** Throws `FL_SEAL_BROKEN` or `FL_UPDATE_SHAPE`. */
export function openUpload({ config, key, sealed }: Omit<OpenJob, 'kind'>, secretbox: Secretbox): OpenedUpload {
  const format = new UpdateFormat(config)
  const plain = openSeal(key, sealed, format.plainBytes, secretbox)
  if (plain === undefined) throw new FedweaveError('FL_SEAL_BROKEN', 'the update is not sealed to this coordinator in this round')
  const parsed = format.parse(plain)
  if (isFault(parsed)) throw new FedweaveError(parsed.fault, parsed.message)
  release(plain)
  return { ...parsed, digest: createHash('sha256').update(sealed).digest('hex') }
}

/** Throws `FL_TOO_FEW_SHARES` when a dealer's shares are inconsistent. */
export function expandMasks(
  { config, plan }: Omit<ExpandJob, 'kind'>,
  curves: Curves,
  prg: Prg,
): Segments<Uint32Array<ArrayBuffer>> {
  const sum = new UpdateFormat(config).sum(prg)
  sum.unmask(masksOf(curves, plan))
  return sum.words()
}
