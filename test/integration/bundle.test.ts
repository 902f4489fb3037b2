import { expect, it } from 'vitest'
import {
  firstViewBytes,
  MOST_BYTES,
  MOST_FIRST_VIEW_BYTES,
  MOST_SESSION_BYTES,
  pageSizes,
} from '../../simulations/bench/bundle.ts'

it(`a page loads at most ${MOST_BYTES} bytes of the client at once, gzipped, and its session's worker ${MOST_SESSION_BYTES}`, async () => {
  const { gzippedBytes, sessionBytes } = await pageSizes()
  expect(gzippedBytes).toBeLessThanOrEqual(MOST_BYTES)
  expect(sessionBytes).toBeLessThanOrEqual(MOST_SESSION_BYTES)
})

it(`the example app shows its task after ${MOST_FIRST_VIEW_BYTES} bytes at most, gzipped`, async () => {
  expect(await firstViewBytes()).toBeLessThanOrEqual(MOST_FIRST_VIEW_BYTES)
})
