import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { FedweaveError, fromHex, toHex } from '@fedweave/aggregator'
import { makeFolder, replaceFile } from '@fedweave/aggregator/node'
import type { SimulationConfig } from './config.ts'
import type { RoundRecord } from './record.ts'
import { digestOf } from './task.ts'

const STATE = 'state.bin'
const FORMAT = 1

/** All that a run needs to go on after its last whole round. */
export interface SavedState {
  readonly config: SimulationConfig
  /** Hash of what it trains on: another data set is another run. */
  readonly dataHash: string
  readonly rounds: readonly RoundRecord[]
  /** Virtual seconds so far. */
  readonly now: number
  /** The last signed journal entry; none without secure aggregation. */
  readonly head: Uint8Array | undefined
  readonly weights: Float32Array
  /** Rounds in which each client's update counted. */
  readonly counted: Int32Array
}

interface Header extends Omit<SavedState, 'weights' | 'counted' | 'head'> {
  readonly format: number
  readonly head: string
  readonly sizes: { readonly weights: number; readonly counted: number }
}

/** Replaces the state in `folder` in one step: after a crash, at any moment, there is the old one or the new one. */
export async function saveState(folder: string, state: SavedState): Promise<void> {
  const { weights, counted, head, ...plain } = state
  const sizes = { weights: weights.length, counted: counted.length }
  const header: Header = { ...plain, format: FORMAT, head: head === undefined ? '' : toHex(head), sizes }
  const json = new TextEncoder().encode(JSON.stringify(header))
  const bytes = new Uint8Array(4 + json.length + weights.byteLength + counted.byteLength)
  new DataView(bytes.buffer).setUint32(0, json.length)
  bytes.set(json, 4)
  bytes.set(new Uint8Array(weights.buffer, weights.byteOffset, weights.byteLength), 4 + json.length)
  bytes.set(new Uint8Array(counted.buffer, counted.byteOffset, counted.byteLength), 4 + json.length + weights.byteLength)
  const whole = new Uint8Array(bytes.length + 32)
  whole.set(digestOf(bytes))
  whole.set(bytes, 32)
  await makeFolder(folder)
  await replaceFile(join(folder, STATE), whole)
}

/** The state in `folder`, if there is one. Throws `FL_STORE_DAMAGED` for a file that is not whole. */
export async function loadState(folder: string): Promise<SavedState | undefined> {
  const path = join(folder, STATE)
  let whole: Uint8Array
  try {
    whole = new Uint8Array(await readFile(path)) // a Buffer's slices would be views
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  const bytes = whole.slice(32)
  if (whole.length < 36 || toHex(digestOf(bytes)) !== toHex(whole.subarray(0, 32))) throw damaged(path)
  const length = new DataView(bytes.buffer).getUint32(0)
  const { format, sizes, head, ...plain } = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + length))) as Header
  if (format !== FORMAT) throw damaged(path)
  const at = 4 + length
  return {
    ...plain,
    head: head === '' ? undefined : fromHex(head),
    weights: new Float32Array(bytes.slice(at, at + 4 * sizes.weights).buffer),
    counted: new Int32Array(bytes.slice(at + 4 * sizes.weights).buffer),
  }
}

function damaged(path: string): FedweaveError {
  return new FedweaveError('FL_STORE_DAMAGED', `${path} is not a state that a simulation of this release has written`, {
    cure: 'Give another folder with --out, or start this one again with --fresh.',
  })
}

/** Throws `FL_USAGE` where the saved run is another one than `config` asks for; more rounds of the same run are no other. */
export function checkSameRun(saved: SavedState, config: SimulationConfig, dataHash: string, folder: string): void {
  const ask = flatten(comparable(config))
  const had = flatten(comparable(saved.config))
  const differing = [...new Set([...ask.keys(), ...had.keys()])].filter((field) => ask.get(field) !== had.get(field))
  if (saved.dataHash !== dataHash) differing.push('data')
  if (saved.rounds.length > config.rounds) {
    throw new FedweaveError(
      'FL_USAGE',
      `the run in ${folder} has ${saved.rounds.length} rounds already, more than ${config.rounds}`,
      {
        cure: 'Ask for more rounds, give another folder with --out, or start this one again with --fresh.',
      },
    )
  }
  const [field] = differing
  if (field === undefined) return
  const values = field === 'data' ? 'other data' : `${field} ${had.get(field)}, not ${ask.get(field)}`
  throw new FedweaveError('FL_USAGE', `the run in ${folder} has ${values}`, {
    cure: 'Give another folder with --out, or start this one again with --fresh.',
  })
}

function comparable({ rounds: _rounds, target: _target, baselines: _baselines, ...config }: SimulationConfig): object {
  return config
}

function flatten(value: object, prefix = ''): Map<string, string> {
  const fields = new Map<string, string>()
  for (const [key, inner] of Object.entries(value)) {
    const path = prefix === '' ? key : `${prefix}.${key}`
    if (typeof inner === 'object' && inner !== null) for (const [k, v] of flatten(inner, path)) fields.set(k, v)
    else fields.set(path, JSON.stringify(inner))
  }
  return fields
}
