import { nodeCurves } from '@fedweave/aggregator/node'
import { type HarnessClient, RoundHarness } from '@fedweave/aggregator/testing'
import { expect, test } from 'vitest'

test('a round of 210 clients on a sparse graph sums one-hot updates exactly, with dropouts at every moment', () => {
  const clients = 210
  const harness = new RoundHarness({
    clients,
    seed: 'sparse',
    size: clients,
    curves: nodeCurves,
    update: (index) => ({
      delta: Float32Array.from({ length: clients }, (_, i) => (i === index ? 1 : 0)),
      examples: 1,
      loss: 2,
      accuracy: 0.5,
    }),
  })
  const leaving = { setup: [3, 50], ack: [7, 90], upload: [11], confirm: [13], unmask: [17] } as const
  const before = harness.network
  harness.network = (envelope) => {
    if (envelope.to === 'server') {
      const from: HarnessClient = harness.client(envelope.client)
      const moment = leaving[envelope.message.type as keyof typeof leaving] as readonly number[] | undefined
      if (moment?.includes(from.index)) from.alive = false
    }
    return before(envelope)
  }
  const state = harness.runRound()
  expect(state.phase).toBe('completed')
  const { graph } = (state as Extract<typeof state, { phase: 'completed' }>).facts
  expect(graph.complete).toBe(false)
  expect(graph.holders).toBeLessThan(clients / 2)
  const left = [...leaving.setup, ...leaving.ack]
  const sum = [...(harness.aggregate?.pseudoGradient ?? [])].map((mean) => Math.round(mean * (harness.aggregate?.weight ?? 0)))
  expect(sum).toEqual(Array.from({ length: clients }, (_, i) => (left.includes(i as never) ? 0 : 1)))
}, 180_000)
