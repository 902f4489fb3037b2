import { createHash } from 'node:crypto'
import { equalBytes, FedweaveError } from '@fedweave/aggregator'

/**
 * The journal's framing: `u32 length | 4 bytes check of the length | 8 bytes check of the record | record`, big-endian,
 * checks being leading bytes of SHA-256.
 *
 * The length has a check of its own because a file that ends inside a frame is read as a write that a crash cut short.
 * Were lengths trusted, one flipped bit in an early one would point past the end of the file, and everything after it
 * would be thrown away as a torn tail.
 */
const HEADER_BYTES = 16
const LENGTH_BYTES = 4
const CHECKED_LENGTH_BYTES = 8

export function encodeFrame(record: Uint8Array): Uint8Array {
  const frame = new Uint8Array(HEADER_BYTES + record.length)
  new DataView(frame.buffer).setUint32(0, record.length)
  frame.set(sha256Head(frame.subarray(0, LENGTH_BYTES), CHECKED_LENGTH_BYTES - LENGTH_BYTES), LENGTH_BYTES)
  frame.set(sha256Head(record, HEADER_BYTES - CHECKED_LENGTH_BYTES), CHECKED_LENGTH_BYTES)
  frame.set(record, HEADER_BYTES)
  return frame
}

export interface Frame {
  /** A view into the bytes that were read. */
  readonly record: Uint8Array
  /** Where the frame begins in its file, and where it ends. */
  readonly offset: number
  readonly end: number
}

/**
 * The whole frames at the beginning of `bytes`, which lie at `offset` of `file`. An incomplete last one is left out; everything
 * else that does not match its check throws `FL_STORE_DAMAGED` with `file` and the byte offset of the frame.
 */
export function decodeFrames(bytes: Uint8Array, file: string, offset = 0): readonly Frame[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const frames: Frame[] = []
  let at = 0
  while (bytes.length - at >= HEADER_BYTES) {
    const header = bytes.subarray(at, at + HEADER_BYTES)
    const lengthCheck = sha256Head(header.subarray(0, LENGTH_BYTES), CHECKED_LENGTH_BYTES - LENGTH_BYTES)
    if (!equalBytes(header.subarray(LENGTH_BYTES, CHECKED_LENGTH_BYTES), lengthCheck)) throw damaged(file, offset + at, 'length')
    const next = at + HEADER_BYTES + view.getUint32(at)
    if (next > bytes.length) break
    const record = bytes.subarray(at + HEADER_BYTES, next)
    const recordCheck = sha256Head(record, HEADER_BYTES - CHECKED_LENGTH_BYTES)
    if (!equalBytes(header.subarray(CHECKED_LENGTH_BYTES), recordCheck)) throw damaged(file, offset + at, 'content')
    frames.push({ record, offset: offset + at, end: offset + next })
    at = next
  }
  return frames
}

function damaged(file: string, offset: number, what: 'length' | 'content'): FedweaveError {
  return new FedweaveError(
    'FL_STORE_DAMAGED',
    `${file}: the record at byte ${offset} is damaged (its ${what} does not match its checksum)`,
  )
}

function sha256Head(bytes: Uint8Array, length: number): Uint8Array {
  return createHash('sha256').update(bytes).digest().subarray(0, length)
}
