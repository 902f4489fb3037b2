import { FedweaveError } from '@fedweave/aggregator'

/** An array of unsigned bytes as MNIST's files hold it. */
export interface IdxArray {
  readonly shape: readonly number[]
  /** Row-major view into the file's bytes. */
  readonly data: Uint8Array
}

const UNSIGNED_BYTE = 0x08

/**
 * Parses IDX (LeCun, Cortes, Burges, "The MNIST database", file formats): two zero bytes, the element type, the number
 * of dimensions, each dimension as a big-endian u32, then the elements. Only unsigned bytes are read. Throws
 * `FL_DATASET_SHAPE`.
 */
export function parseIdx(bytes: Uint8Array): IdxArray {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (bytes.length < 4 || view.getUint16(0) !== 0) throw misfit('the file does not start with the two zero bytes of IDX')
  const [type, rank] = [view.getUint8(2), view.getUint8(3)]
  if (type !== UNSIGNED_BYTE)
    throw misfit(`expected the element type 0x08 (unsigned bytes), got 0x${type.toString(16).padStart(2, '0')}`)
  const header = 4 + 4 * rank
  if (bytes.length < header) throw misfit(`the header of ${rank} dimensions needs ${header} bytes, the file has ${bytes.length}`)
  const shape = Array.from({ length: rank }, (_, i) => view.getUint32(4 + 4 * i))
  const size = shape.reduce((n, side) => n * side, 1)
  if (bytes.length !== header + size) {
    throw misfit(`the shape [${shape.join(', ')}] needs ${header + size} bytes, the file has ${bytes.length}`)
  }
  return { shape, data: bytes.subarray(header) }
}

function misfit(message: string): FedweaveError {
  return new FedweaveError('FL_DATASET_SHAPE', `IDX: ${message}`)
}
