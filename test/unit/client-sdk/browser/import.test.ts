import { expect, it } from 'vitest'

it('a server that renders pages can import the client for browsers: it touches nothing that only a browser has', async () => {
  for (const name of ['window', 'document', 'indexedDB', 'Worker']) expect(name in globalThis).toBe(false)
  const { FederatedClient, SharedModel } = await import('@fedweave/client/browser')
  const dataset = { xs: new Float32Array(4), shape: [4], labels: Int32Array.of(0) }
  const client = new FederatedClient({ url: 'https://example.org', task: 'tiny', dataset })
  await expect(client.run()).rejects.toMatchObject({ code: 'FL_BROWSER_UNSUPPORTED', message: 'this browser has no Web Workers' })
  expect(SharedModel).toBeTypeOf('function')
})
