import { fastestPrg } from '@fedweave/aggregator/node'
import { Command } from 'commander'
import { integerOption } from '../src/commands/output.ts'

export const command = new Command('sum')
  .description("adding uploads into the server's accumulator, against reading the same memory")
  .option('--vectors <n>', 'uploads', '1000')
  .option('--dim <n>', 'words of each', '694000')
  .option('--runs <n>', 'times that each is done; the fastest counts', '3')

/** Bytes of the vectors run from 0 to 250, so that the scan for 255 finds none. */
const PERIOD = 251

/**
 * `sumMs`: adding every vector to one accumulator. `readMs`: a loop that reads every word and keeps their exclusive or, as
 * plain as the language allows. `scanMs`: the C library's search for a byte that does not occur, the fastest read there is
 * from JavaScript. `ofRead` and `ofScan`: speed of the sum as a part of theirs. `verified`: the sum is right in every word.
 */
export async function run(options: Record<string, unknown>): Promise<Record<string, unknown>> {
  const vectors = integerOption('vectors', options.vectors, 1, 10_000)
  const dim = integerOption('dim', options.dim, 1, 10_000_000)
  const runs = integerOption('runs', options.runs, 1, 100)
  const terms = Array.from({ length: vectors }, (_, v) =>
    Uint32Array.from({ length: dim }, (_, i) => ((v + i) % PERIOD) * 0x01010101),
  )
  const times = { sumMs: Number.POSITIVE_INFINITY, readMs: Number.POSITIVE_INFINITY, scanMs: Number.POSITIVE_INFINITY }
  const timed = <T>(name: keyof typeof times, work: () => T): T => {
    const from = performance.now()
    const result = work()
    times[name] = Math.min(times[name], performance.now() - from)
    return result
  }
  const expected = Array.from({ length: PERIOD }, (_, i) => wordOfSum(vectors, i))
  const reads = new Set<number>()
  let verified = true
  for (let i = 0; i < runs; i++) {
    const sum = fastestPrg().accumulator(dim)
    timed('sumMs', () => {
      for (const term of terms) sum.addWords(term)
    })
    reads.add(timed('readMs', () => terms.reduce((all, term) => all ^ read(term), 0)))
    verified &&= !timed('scanMs', () => terms.some((term) => Buffer.from(term.buffer).includes(255)))
    verified &&= sum.words.every((word, i) => word === expected[i % PERIOD])
  }
  const { sumMs, readMs, scanMs } = times
  return {
    vectors,
    dim,
    sumMs: round(sumMs),
    readMs: round(readMs),
    scanMs: round(scanMs),
    ofRead: round(readMs / sumMs),
    ofScan: round(scanMs / sumMs),
    verified: verified && reads.size === 1,
  }
}

function read(term: Uint32Array): number {
  let all = 0
  for (let i = 0; i < term.length; i++) all ^= term[i] as number
  return all
}

/** Word i of the sum, mod 2^32. */
function wordOfSum(vectors: number, i: number): number {
  let sum = 0n
  for (let v = 0; v < vectors; v++) sum += BigInt(((v + i) % PERIOD) * 0x01010101)
  return Number(BigInt.asUintN(32, sum))
}

function round(value: number): number {
  return Number(value.toFixed(2))
}
