import { certificate, certify, encode, FedweaveError, toHex } from '@fedweave/aggregator'
import { seededEntropy } from '@fedweave/aggregator/testing'
import { memoryStore } from '@fedweave/client'
import { simulatedClient, socketTransport } from '@fedweave/client/simulation'
import { blankLabels, type LocalDataset, type Trainer } from '@fedweave/client/training'
import { buildServer, MemoryDisk, type TaskEvent, type TaskSpec, memoryStore as taskStore } from '@fedweave/server'
import { judgeRows } from './judge.ts'
import { sealedBytesOf } from './ledger.ts'
import type { OpenedStage } from './open-stage.ts'
import type { Lane } from './pool.ts'
import { bandsOf, type RoundRecord } from './record.ts'
import { type ClientResult, weightOf } from './round.ts'
import { firstState } from './rounds.ts'
import { shareFloats } from './shared.ts'
import type { SavedState } from './state.ts'
import { judgedBy } from './summary.ts'

type Committed = Extract<TaskEvent, { type: 'committed' }>

/** Every client has a socket and a ledger of its own. */
const MOST_CLIENTS = 500
/** Certificates hold for the whole of any run. */
const FOR_EVER = 4_000_000_000

/**
 * Runs all rounds with the real server, listening on this machine, and a real client for each virtual one: real sockets, uploads, deadlines and
 * journal. Only training is the engine's, on its workers. The clock is real too, so who is asked depends on it, and with it
 * the model, unless every round asks everybody.
 */
export async function runOverSockets(
  opened: OpenedStage,
  signal: AbortSignal | undefined,
  onRound: (record: RoundRecord) => void,
): Promise<SavedState | undefined> {
  const { config, authority, task } = opened.stage
  if (config.secure !== 'on')
    throw new FedweaveError('FL_USAGE', `--transport socket goes with --secure on, not ${config.secure}`)
  if (config.clients > MOST_CLIENTS)
    throw new FedweaveError('FL_USAGE', `--transport socket takes up to ${MOST_CLIENTS} clients, got ${config.clients}`)
  const { dropout, availability, speedSpread, deadline } = config.behaviour
  if (dropout > 0 || availability < 1 || speedSpread > 0 || deadline > 0)
    throw new FedweaveError('FL_USAGE', 'behaviours are of the virtual clock: --transport socket runs in real time, without them')
  const disk = new MemoryDisk()
  const app = await buildServer({
    tasks: [specOf(opened)],
    operatorSeed: seededEntropy(`${config.seed}/operator`).bytes(32),
    enrolment: { key: authority.enrolmentKey },
    openStore: async () => taskStore(disk),
    limits: { clientsPerAddress: config.clients },
  })
  const stop = new AbortController()
  const results = new Map<number, ClientResult>()
  let state = firstState(opened)
  let judging: Promise<unknown> = Promise.resolve()
  try {
    const hosted = app.hub.task(task.config.taskId)
    hosted.events.on('event', (event: TaskEvent) => {
      if (event.type !== 'committed') return
      const taken = [...results.values()] // of this round: the next one begins after this turn
      results.clear()
      judging = judging.then(async () => {
        const bytes = await app.hub.model(hosted, event.modelHash)
        state = await committed(opened, state, event, new Float32Array(bytes.slice().buffer), taken)
        onRound(state.rounds.at(-1) as RoundRecord)
      })
    })
    const url = await app.listen({ host: '127.0.0.1', port: 0 })
    const running = Array.from({ length: config.clients }, (_, client) => runClient(opened, url, client, results, stop.signal))
    const interrupt = () => stop.abort()
    signal?.addEventListener('abort', interrupt, { once: true })
    try {
      await Promise.all(running)
    } catch (error) {
      if (signal?.aborted) return undefined
      throw error
    } finally {
      stop.abort()
      await Promise.allSettled(running)
      signal?.removeEventListener('abort', interrupt)
    }
    await judging
    return state
  } finally {
    await app.close()
  }
}

function specOf({ stage: { task, config }, initial }: OpenedStage): TaskSpec {
  const { taskId: id, model, plan, cohort, secureAggregation, deadlines } = task.config
  const { topology } = model
  const spec = {
    id,
    model: { topology, initialWeights: initial },
    rounds: config.rounds,
    plan,
    cohort,
    secureAggregation,
    deadlines,
  }
  return spec as unknown as TaskSpec // parsed before: what is optional in it is left out, never undefined
}

async function runClient(
  { stage }: OpenedStage,
  url: string,
  client: number,
  results: Map<number, ClientResult>,
  signal: AbortSignal,
): Promise<void> {
  const { config, authority, assignment, task, pool } = stage
  const entropySeed = `${config.seed}/socket/${client}`
  const store = memoryStore()
  const { seed } = await store.identity(() => seededEntropy(`${entropySeed}/identity`).bytes(32))
  const { curves, enrolmentSeed } = authority
  await store.saveCertificate(encode(certificate, certify(curves, enrolmentSeed, curves.ed25519Public(seed), FOR_EVER)))
  const lane = pool.lanes[client % pool.lanes.length] as Lane
  const trainer = (): Trainer => ({
    async train(request) {
      const outcome = await lane.ask<'train'>({ kind: 'train', rows: assignment.train.rowsOf(client), request })
      const { loss, accuracy, steps, delta } = outcome
      const weight = config.weighting === 'uniform' ? 1 : weightOf(task, outcome.examples)
      results.set(client, { client, loss, accuracy, weight })
      return { delta: delta as Float32Array, examples: weight, steps, loss, ...(accuracy === undefined ? {} : { accuracy }) }
    },
    close: async () => undefined, // the pool is the engine's
  })
  const pins = { enrolmentKey: toHex(authority.enrolmentKey) }
  const server = () => socketTransport(url)
  const options = {
    task: task.config.taskId,
    dataset: sampleOf(stage),
    entropySeed,
    seed: config.seed,
    server,
    trainer,
    store,
    pins,
  }
  await simulatedClient(options).run({ signal })
}

/** Clients check that their data fit the model; the engine's workers have the examples themselves. */
function sampleOf({ model }: OpenedStage['stage']): LocalDataset {
  const width = model.inputShape.reduce((n, side) => n * side, 1)
  return { xs: new Float32Array(width), shape: model.inputShape, labels: blankLabels(model, 1) }
}

async function committed(
  opened: OpenedStage,
  state: SavedState,
  { round, cohort, survivors, modelHash, uploadBytes, loss = 0, accuracy }: Committed,
  weights: Float32Array,
  results: readonly ClientResult[],
): Promise<SavedState> {
  const { stage, testRows } = opened
  const { config, model, pool, task } = stage
  const metrics = await judgeRows(pool, { model, plan: config.plan, on: 'test' }, shareFloats(weights), testRows)
  const counted = state.counted.slice()
  for (const { client } of results) counted[client] = (counted[client] as number) + 1
  const record: RoundRecord = {
    round,
    invited: cohort,
    survivors,
    dropouts: cohort - survivors,
    stragglers: 0,
    aborted: 0,
    loss,
    ...(accuracy === undefined ? {} : { accuracy }),
    ...bandsOf(results),
    test: judgedBy(opened, metrics),
    uploadBytes: survivors * Math.max(uploadBytes, sealedBytesOf(task)),
    downloadBytes: cohort * 4 * weights.length,
    seconds: 0, // no virtual time passes
    modelHash,
  }
  return { ...state, rounds: [...state.rounds, record], weights, counted }
}
