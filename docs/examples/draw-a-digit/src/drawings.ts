import type { LocalDataset } from '@fedweave/client/browser'
import { SIDE } from './digit.ts'

const PIXELS = SIDE * SIDE
const KEY = 'drawings'

export interface Drawing {
  readonly digit: Float32Array
  readonly label: number
}

/** The digits that somebody drew and named, kept in this browser and nowhere else. */
export class Drawings {
  #all: readonly Drawing[] = load()
  readonly #changed: () => void

  constructor(changed: () => void) {
    this.#changed = changed
  }

  get all(): readonly Drawing[] {
    return this.#all
  }

  add(drawing: Drawing): void {
    this.#set([...this.#all, drawing])
  }

  remove(index: number): void {
    this.#set(this.#all.filter((_, i) => i !== index))
  }

  get dataset(): LocalDataset {
    return datasetOf(this.#all)
  }

  #set(all: readonly Drawing[]): void {
    this.#all = all
    save(all)
    this.#changed()
  }
}

function datasetOf(drawings: readonly Drawing[]): LocalDataset {
  const xs = new Float32Array(drawings.length * PIXELS)
  for (const [i, { digit }] of drawings.entries()) xs.set(digit, i * PIXELS)
  return { xs, shape: [SIDE, SIDE, 1], labels: Int32Array.from(drawings, ({ label }) => label) }
}

/** A part of MNIST that the server lends: all images as bytes, then a byte for each label. Throws where it cannot be had. */
export async function borrowShard(shard: number, examples: number): Promise<LocalDataset> {
  const response = await fetch(`mnist/${shard}`)
  if (!response.ok) throw new Error(`mnist/${shard}: ${response.status}`)
  const bytes = new Uint8Array(await response.arrayBuffer())
  if (bytes.length !== examples * (PIXELS + 1)) throw new Error(`mnist/${shard}: ${bytes.length} bytes`)
  const xs = new Float32Array(examples * PIXELS)
  for (let i = 0; i < xs.length; i++) xs[i] = (bytes[i] as number) / 255
  return { xs, shape: [SIDE, SIDE, 1], labels: Int32Array.from(bytes.subarray(examples * PIXELS)) }
}

/** One character a pixel is exact enough, and small enough for this storage: a thousand drawings are 0.8 MB. */
function save(drawings: readonly Drawing[]): void {
  try {
    const texts = drawings.map(({ digit, label }) => [
      label,
      String.fromCharCode(...digit.map((value) => 32 + Math.round(value * 90))),
    ])
    localStorage.setItem(KEY, JSON.stringify(texts))
  } catch {
    // no room, or none allowed: they last as long as the page
  }
}

function load(): readonly Drawing[] {
  try {
    const texts = JSON.parse(localStorage.getItem(KEY) ?? '[]') as [number, string][]
    return texts
      .filter(([label, text]) => label >= 0 && label <= 9 && text.length === PIXELS)
      .map(([label, text]) => ({ label, digit: Float32Array.from(text, (character) => (character.charCodeAt(0) - 32) / 90) }))
  } catch {
    return []
  }
}
