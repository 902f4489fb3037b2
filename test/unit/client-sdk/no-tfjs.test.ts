import { createRequire } from 'node:module'
import { expect, it } from 'vitest'

const loadedTfjs = () => Object.keys(createRequire(import.meta.url).cache).filter((path) => path.includes('@tensorflow'))

it('types, checks and the worker host load no TensorFlow.js; the tfjs entry does', async () => {
  await import('../../../client-sdk/src/training/index.ts')
  await import('../../../client-sdk/src/worker/host.ts')
  await import('../../../client-sdk/src/tfjs/reference-model.ts')
  expect(loadedTfjs()).toEqual([])
  await import('../../../client-sdk/src/tfjs/index.ts')
  expect(loadedTfjs()).not.toEqual([])
})
