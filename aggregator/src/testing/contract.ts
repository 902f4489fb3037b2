/** One rule of an interface. `run` throws when the implementation breaks it; any test runner can call it. */
export interface ContractCase {
  readonly name: string
  run(): void
}

/** For contracts: throws an `Error` that says which `claim` does not hold. */
export function expectThat(holds: boolean, claim: string): void {
  if (!holds) throw new Error(`contract broken: ${claim}`)
}

/** For contracts: the first index at which two vectors differ in a bit (so that -0 is not 0), or -1. */
export function firstDifference(a: Float32Array | Uint32Array, b: Float32Array | Uint32Array): number {
  const [left, right] = [bits(a), bits(b)]
  const length = Math.max(left.length, right.length)
  for (let i = 0; i < length; i++) if (left[i] !== right[i]) return i
  return -1
}

function bits(vector: Float32Array | Uint32Array): Uint32Array {
  return new Uint32Array(vector.buffer, vector.byteOffset, vector.length)
}

/** For contracts: `action` throws an error with this `code`. */
export function expectCode(code: string, action: () => unknown): void {
  let caught: unknown
  try {
    action()
  } catch (error) {
    caught = error
  }
  const got = caught instanceof Error && 'code' in caught ? caught.code : undefined
  expectThat(got === code, `expected an error with the code ${code}, got ${String(caught ?? 'none')}`)
}
