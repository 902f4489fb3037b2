/** The same bytes without Buffer's methods: `Buffer.slice` shares memory where `Uint8Array.slice` copies. */
export function plain(buffer: Buffer): Uint8Array {
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength)
}
