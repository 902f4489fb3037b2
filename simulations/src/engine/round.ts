import { type Aggregate, FedweaveError, type ModelSpec, type Prg, type UnmaskingPlan } from '@fedweave/aggregator'
import type { Assignment } from './assignment.ts'
import type { Authority, Environments } from './authority.ts'
import type { Cohort } from './cohort.ts'
import type { SimulationConfig } from './config.ts'
import { machineOf } from './machine.ts'
import { onceForAll } from './once-for-all.ts'
import { PlainSum } from './plain-sum.ts'
import type { Lane, WorkerPool } from './pool.ts'
import { type Completed, SecureRound } from './secure-round.ts'
import { seedOf } from './seeds.ts'
import type { SimulatedTask } from './task.ts'

/** What every round of a run shares. */
export interface Stage {
  readonly config: SimulationConfig
  readonly assignment: Assignment
  readonly model: ModelSpec
  readonly task: SimulatedTask
  readonly authority: Authority
  readonly environments: Environments
  readonly pool: WorkerPool
  readonly prg: Prg
}

export interface ClientResult {
  readonly client: number
  readonly loss: number
  readonly accuracy: number | undefined
  readonly weight: number
}

export interface RoundOutcome {
  readonly pseudoGradient: Float32Array
  readonly weight: number
  readonly clients: readonly ClientResult[]
  /** With secure aggregation. */
  readonly secure?: { readonly state: Completed; readonly aggregate: Aggregate }
  readonly check?: { readonly largest: number; readonly quantum: number }
}

export interface RoundStart {
  readonly round: number
  readonly attempt: number
  readonly weights: Float32Array
  /** The journal's last entry, signed. */
  readonly head: Uint8Array | undefined
  /** Virtual milliseconds. */
  readonly now: number
}

type Train = (client: number, lane: Lane, keep?: number) => Promise<ClientResult & { readonly delta?: Float32Array }>

/** Trains the survivors of a cohort and sums their updates. Throws the protocol's error where it aborts the round. */
export function runRound(stage: Stage, start: RoundStart, cohort: Cohort): Promise<RoundOutcome> {
  const { config, assignment, task, model } = stage
  const train: Train = async (client, lane, keep) => {
    const seed = seedOf('training', config.seed, client, start.round)
    const request = { model, weights: start.weights, plan: config.plan, seed }
    const job = {
      kind: 'train',
      rows: assignment.train.rowsOf(client),
      request,
      ...(keep === undefined ? {} : { keep }),
    } as const
    const { examples, loss, accuracy, delta } = await lane.ask<'train'>(job)
    const weight = config.weighting === 'uniform' ? 1 : weightOf(task, examples)
    return { client, loss, accuracy, weight, ...(delta === undefined ? {} : { delta }) }
  }
  // Those with the most work begin first, so that no worker is left alone with a long one at the end.
  const size = (client: number) => assignment.train.sizeOf(client)
  const survivors = [...cohort.survivors].sort((a, b) => size(b) - size(a) || a - b)
  return config.secure === 'off'
    ? plainRound(stage, start, survivors, train)
    : secureRound(stage, start, cohort, survivors, train)
}

/** What a client with that many examples weighs. */
export function weightOf({ config, unit }: SimulatedTask, examples: number): number {
  return Math.min(config.secureAggregation.maxWeight, Math.max(1, Math.round(examples / unit)))
}

async function plainRound(
  { config, pool }: Stage,
  { weights }: RoundStart,
  survivors: readonly number[],
  train: Train,
): Promise<RoundOutcome> {
  if (survivors.length === 0) throw new FedweaveError('FL_TOO_FEW_SURVIVORS', 'no update arrived')
  const sum = new PlainSum(weights.length, config.clipBound)
  const clients = new Array<ClientResult>(survivors.length)
  await pool.each(survivors, async (client, lane, place) => {
    const { delta, ...result } = await train(client, lane)
    sum.add(place, delta as Float32Array, result.weight)
    clients[place] = result
  })
  return { ...sum.mean(), clients }
}

async function secureRound(
  stage: Stage,
  start: RoundStart,
  cohort: Cohort,
  survivors: readonly number[],
  train: Train,
): Promise<RoundOutcome> {
  const { config, pool, task } = stage
  const check = config.secure === 'check'
  const plain = check ? new PlainSum(start.weights.length, config.clipBound) : undefined
  const clients = new Array<ClientResult>(survivors.length)
  const arriving: Promise<void>[] = []
  // Keys are shared while the first clients train: only masks have to wait for both.
  const opening = Promise.resolve().then(() => openSecureRound(stage, start, cohort))
  opening.catch(() => undefined) // awaited below, once for each client
  await pool.each(survivors, async (client, lane, place) => {
    const result = await train(client, lane, place)
    const round = await opening
    clients[place] = result
    const { context, masks, sealKey, roundingKey, openKey } = round.trained(client)
    const job = {
      kind: 'mask',
      keep: place,
      weight: result.weight,
      config: task.config,
      context,
      masks,
      sealKey,
      roundingKey,
      openKey,
    } as const
    const arrival = lane.ask<'mask'>({ ...job, reveal: check }).then(({ delta }) => {
      if (delta !== undefined) plain?.add(place, delta, result.weight)
      round.arrived(client, context)
    })
    arrival.catch(() => undefined) // awaited below, with the others
    arriving.push(arrival)
  })
  await Promise.all(arriving)
  const round = await opening
  const plans = round.unmasking(pool.lanes.length)
  const sums = pool.lanes.map((lane, i) => lane.ask<'sum'>({ kind: 'sum', config: task.config, plan: plans[i] as UnmaskingPlan }))
  const secure = round.finish(await Promise.all(sums))
  const { pseudoGradient, weight } = secure.aggregate
  if (plain === undefined) return { pseudoGradient, weight, clients, secure }
  const quantum = round.format.step
  return { pseudoGradient, weight, clients, secure, check: compare(pseudoGradient, plain.mean().pseudoGradient, quantum) }
}

/** Throws where the secure mean is further from the plain one than quantising explains. */
function compare(secure: Float32Array, plain: Float32Array, quantum: number): { largest: number; quantum: number } {
  let largest = 0
  for (let i = 0; i < secure.length; i++) largest = Math.max(largest, Math.abs((secure[i] as number) - (plain[i] as number)))
  const rounding = 2 ** -22 * plain.reduce((most, value) => Math.max(most, Math.abs(value)), 0) // both means are float32
  if (largest > quantum + rounding)
    throw new FedweaveError(
      'FL_SERVER_FAULT',
      `the secure mean is ${largest} off the plain one, more than a quantum of ${quantum}`,
      {
        cure: 'This is a bug in Fedweave: please report it with the command and its seed.',
      },
    )
  return { largest, quantum }
}

/** Goes up to the point where only training is missing. */
function openSecureRound({ authority, environments, config, prg }: Stage, start: RoundStart, cohort: Cohort): SecureRound {
  const { server, client } = environments
  const curves = onceForAll(authority.curves)
  const verified = new Set<string>()
  const name = `round/${start.round}/${start.attempt}`
  const machines = cohort.invited.map((index) =>
    machineOf(index, { ...client, curves, verified }, authority.enrolmentSeed, String(config.seed), name),
  )
  const head = start.head as Uint8Array
  const { modelAfter, hash } = authority.open(head)
  const base = { round: start.round, modelHash: modelAfter, head, headHash: hash }
  const round = new SecureRound({ ...server, curves }, base, machines, start.now, prg)
  const staying = new Set(cohort.survivors)
  round.setUp(cohort.invited.filter((index) => !staying.has(index)))
  return round
}
