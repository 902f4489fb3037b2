import { type MessagePort, parentPort } from 'node:worker_threads'
import { FedweaveError } from '@fedweave/aggregator'
import { fastestPrg, fastestSecretbox, nodeCurves } from '@fedweave/aggregator/node'
import { expandMasks, openUpload } from './jobs.ts'
import type { Answer, Job, JobResult } from './messages.ts'

/**
 * A thread of the compute pool. An error that is no `FedweaveError` is a bug of ours: it ends the thread, and the pool
 * fails the job.
 */

const host = parentPort as MessagePort
const prg = fastestPrg()
const secretbox = await fastestSecretbox()

host.on('message', (job: Job) => {
  let answer: Answer<JobResult<Job>>
  try {
    answer = { result: job.kind === 'open' ? openUpload(job, secretbox) : expandMasks(job, nodeCurves, prg) }
  } catch (error) {
    if (!(error instanceof FedweaveError)) throw error
    answer = { error: error.toJSON() }
  }
  host.postMessage(answer, 'result' in answer ? [answer.result.update.buffer, answer.result.counters.buffer] : [])
})
