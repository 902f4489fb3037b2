import { FedweaveError } from '@fedweave/aggregator'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { retryWhatPasses } from '../../../client-sdk/src/retry.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const failing = (...codes: ('FL_SERVER_UNREACHABLE' | 'FL_MODEL_HASH')[]) => {
  let calls = 0
  return vi.fn(async () => {
    const code = codes[calls++]
    if (code !== undefined) throw new FedweaveError(code, `call ${calls}`)
    return 'done'
  })
}

test('work that fails of what passes is tried again after 0.5, 1 and 2 seconds', async () => {
  const work = failing('FL_SERVER_UNREACHABLE', 'FL_SERVER_UNREACHABLE', 'FL_SERVER_UNREACHABLE')
  const result = retryWhatPasses(work, new AbortController().signal)
  await vi.advanceTimersByTimeAsync(3499)
  expect(work).toHaveBeenCalledTimes(3)
  await vi.advanceTimersByTimeAsync(1)
  expect(await result).toBe('done')
})

test('what cannot pass is thrown at once', async () => {
  const work = failing('FL_MODEL_HASH')
  await expect(retryWhatPasses(work, new AbortController().signal)).rejects.toThrow('call 1')
  expect(work).toHaveBeenCalledTimes(1)
})

test('after an abort the last failure is thrown', async () => {
  const controller = new AbortController()
  const work = failing('FL_SERVER_UNREACHABLE', 'FL_SERVER_UNREACHABLE')
  const result = retryWhatPasses(work, controller.signal)
  await vi.advanceTimersByTimeAsync(0)
  controller.abort()
  const rejected = expect(result).rejects.toThrow('call 2')
  await vi.advanceTimersByTimeAsync(500)
  await rejected
})
