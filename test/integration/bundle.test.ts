import { expect, it } from 'vitest'
import { MOST_BYTES, pageSizes } from '../../simulations/bench/bundle.ts'

it(`a page that takes part loads at most ${MOST_BYTES} bytes at once, gzipped, TensorFlow.js apart`, async () => {
  const { gzippedBytes } = await pageSizes()
  expect(gzippedBytes).toBeLessThanOrEqual(MOST_BYTES)
})
