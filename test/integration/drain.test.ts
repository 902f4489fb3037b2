import { toHex } from '@fedweave/aggregator'
import { expect, test } from 'vitest'
import { handshake } from './raw-socket.ts'
import { deltaOf, joinTokenOf, type RunningServer, scriptedTrainer, startServer, tinyClient, tinyTask } from './support.ts'

/** Three clients train; once the round enters `phase` the server is told to stop, as SIGTERM does. */
async function drainedIn(phase: string): Promise<{ server: RunningServer; outcomes: string[] }> {
  const server = await startServer(tinyTask({ rounds: 5, cohort: { minimum: 3, target: 3, overSelection: 1 } }))
  const { events } = server.app.hub.task('tiny')
  const drained = new Promise<void>((resolve) => {
    events.on('event', (event) => {
      if (event.type === 'phase' && event.phase === phase && event.round === 1) resolve(server.app.drain())
    })
  })
  const outcomes: string[] = []
  const stop = new AbortController()
  const runs = [0, 1, 2].map(async (i) => {
    const { trainer } = scriptedTrainer({ delta: deltaOf(i), examples: 1, loss: 1, accuracy: 0 })
    const client = await tinyClient(server.url, `drain-${i}`, { trainer })
    client.on('round', ({ outcome, code }) => void outcomes.push(code ?? outcome))
    await client.run({ signal: stop.signal }).catch(() => undefined)
  })
  await drained
  await expect.poll(() => outcomes.length).toBeGreaterThanOrEqual(3)
  stop.abort()
  await Promise.all(runs)
  return { server, outcomes: outcomes.slice(0, 3) }
}

test.each(['confirming', 'unmasking'])(
  'a round that is %s when the server is told to stop is committed, and no other opens',
  async (phase) => {
    const { server, outcomes } = await drainedIn(phase)
    expect(server.disk.journal.length).toBe(2)
    expect(outcomes).toEqual(['committed', 'committed', 'committed'])
  },
)

test.each(['setup', 'collecting'])('a round that is %s then is given up, with nothing released', async (phase) => {
  const { server, outcomes } = await drainedIn(phase)
  expect(server.disk.journal.length).toBe(1)
  // A client may notice that its model or its upload does not get through before it hears why.
  for (const code of outcomes) expect(code).toMatch(/^(FL_ROUND_ABORTED|FL_SERVER_UNREACHABLE)$/)
  expect(server.events.filter(({ type }) => type === 'phase').map((event) => 'phase' in event && event.phase)).not.toContain(
    'unmasking',
  )
})

test('a server that is stopping admits nobody, says why, and when to come back', async () => {
  const server = await startServer(tinyTask())
  const { hub } = server.app
  const close = hub.drain.bind(hub)
  let asked = { upgrade: 0, status: 0, retryAfter: '', code: '' }
  hub.drain = async () => {
    const answer = await fetch(`${server.url}/v1/admission`, { headers: { authorization: `Join ${toHex(joinTokenOf('late'))}` } })
    asked = {
      upgrade: await handshake(server.url, { name: 'later' }),
      status: answer.status,
      retryAfter: answer.headers.get('retry-after') ?? '',
      code: ((await answer.json()) as { error: { code: string } }).error.code,
    }
    await close()
  }
  await server.app.drain()
  expect(asked).toEqual({ upgrade: 400, status: 503, retryAfter: '10', code: 'FL_SERVER_BUSY' })
})
