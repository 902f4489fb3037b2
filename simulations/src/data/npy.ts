import { FedweaveError } from '@fedweave/aggregator'

/** An array as NumPy saves it. */
export interface NpyArray {
  readonly shape: readonly number[]
  /** Row-major. */
  readonly values: Float32Array
}

/** NumPy's element types that hold numbers, and how one is read. */
const TYPES: Readonly<Record<string, { readonly bytes: number; read(view: DataView, at: number): number }>> = {
  '|u1': { bytes: 1, read: (view, at) => view.getUint8(at) },
  '|i1': { bytes: 1, read: (view, at) => view.getInt8(at) },
  '|b1': { bytes: 1, read: (view, at) => view.getUint8(at) },
  '<u2': { bytes: 2, read: (view, at) => view.getUint16(at, true) },
  '<i2': { bytes: 2, read: (view, at) => view.getInt16(at, true) },
  '<u4': { bytes: 4, read: (view, at) => view.getUint32(at, true) },
  '<i4': { bytes: 4, read: (view, at) => view.getInt32(at, true) },
  '<i8': { bytes: 8, read: (view, at) => Number(view.getBigInt64(at, true)) },
  '<f4': { bytes: 4, read: (view, at) => view.getFloat32(at, true) },
  '<f8': { bytes: 8, read: (view, at) => view.getFloat64(at, true) },
}

/**
 * Parses an NPY file (NumPy Enhancement Proposal 1, versions 1 to 3): numbers in C order, little-endian, as float32. Throws
 * `FL_DATASET_SHAPE` saying what it cannot read.
 */
export function parseNpy(bytes: Uint8Array, name: string): NpyArray {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (bytes.length < 10 || new TextDecoder('latin1').decode(bytes.subarray(0, 6)) !== '\u0093NUMPY')
    throw misfit(name, 'it does not start as an NPY file does')
  const wide = bytes[6] !== 1
  const start = wide ? 12 : 10
  const length = wide ? view.getUint32(8, true) : view.getUint16(8, true)
  const header = new TextDecoder('latin1').decode(bytes.subarray(start, start + length))
  const type = /'descr':\s*'([^']*)'/.exec(header)?.[1] ?? ''
  const known = Object.hasOwn(TYPES, type) ? TYPES[type] : undefined
  if (known === undefined)
    throw misfit(name, `its elements are ${JSON.stringify(type)}; save one of ${Object.keys(TYPES).join(', ')}`)
  if (/'fortran_order':\s*True/.test(header)) throw misfit(name, 'it is in Fortran order; save numpy.ascontiguousarray of it')
  const shape = (/'shape':\s*\(([^)]*)\)/.exec(header)?.[1] ?? '')
    .split(',')
    .map((side) => side.trim())
    .filter(Boolean)
    .map(Number)
  const size = shape.reduce((n, side) => n * side, 1)
  const data = start + length
  if (bytes.length !== data + size * known.bytes)
    throw misfit(name, `the shape [${shape.join(', ')}] needs ${data + size * known.bytes} bytes, the file has ${bytes.length}`)
  return { shape, values: Float32Array.from({ length: size }, (_, i) => known.read(view, data + i * known.bytes)) }
}

function misfit(name: string, message: string): FedweaveError {
  return new FedweaveError('FL_DATASET_SHAPE', `${name}: ${message}`)
}
