import { type CoordinatorState, partsOfUnmasking, planUnmasking, type TaskConfig, type UpdateSum } from '@fedweave/aggregator'
import type { ComputePool } from './compute-pool.ts'

type Completed = Extract<CoordinatorState, { phase: 'completed' }>

/** Some 100 ms of work: what an upload of another task may have to wait for, and long against handing a job over. */
const WORDS_PER_JOB = 100_000_000
const MOST_MASKS_PER_JOB = 1024

/**
 * Takes the masks off `sum`, whose vectors have `size` words. Each thread expands one part of them at a time into an
 * accumulator of its own, so that the result does not depend on their number. When it throws, `sum` is of no more use:
 * `FL_TOO_FEW_SHARES` when a dealer's shares are inconsistent, else as `WorkerPool.run`.
 */
export async function unmaskInPlace(
  sum: UpdateSum,
  size: number,
  config: TaskConfig,
  state: Completed,
  pool: ComputePool,
): Promise<void> {
  const masks = Math.min(MOST_MASKS_PER_JOB, Math.ceil(WORDS_PER_JOB / size))
  const parts = partsOfUnmasking(state, pool.size, masks)
  const work = async () => {
    for (let part = parts.shift(); part !== undefined; part = parts.shift()) {
      sum.add(await pool.expand({ config, plan: planUnmasking(state, part) }))
    }
  }
  // One more than there are threads: when one is done, its next part is already there.
  const workers = Array.from({ length: pool.size + 1 }, work)
  try {
    await Promise.all(workers)
  } finally {
    parts.length = 0
  }
}
