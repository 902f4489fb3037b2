import type { Federation } from '../scenarios/scenario.ts'
import { numberAt, parseCsv } from './csv.ts'
import type { DataLibrary, Original } from './library.ts'
import { toDataset } from './matrix.ts'

const ORIGINAL: Original = {
  folder: 'vowel-15-speakers',
  file: 'vowel.csv',
  sha256: 'a8816bd2697e106e8643be619fe6ba4cdb26205880273441251e9a342b6e5277',
  byHand: 'Write it in R, with the package mlbench: data(Vowel); write.csv(Vowel, "vowel.csv", row.names = FALSE, quote = FALSE)',
}

const VOWELS = ['hid', 'hId', 'hEd', 'hAd', 'hYd', 'had', 'hOd', 'hod', 'hUd', 'hud', 'hed']
/** Each speaker says the eleven vowels six times; the last times are for tests. */
const TEST_ROUNDS = 2
const ROUNDS = 6

/** Vowel recognition (Deterding 1989; UCI 152): eleven vowels by fifteen speakers, ten log area ratios each. */
export async function vowels(library: DataLibrary): Promise<Federation> {
  const table = parseCsv(await library.text(ORIGINAL), ORIGINAL.file)
  const [train, test] = [emptyPart(), emptyPart()]
  const said = new Map<string, number>()
  for (const [row, fields] of table.rows.entries()) {
    const speaker = numberAt(table, row, 0, ORIGINAL.file)
    const vowel = fields[10] as string
    const times = said.get(`${speaker}/${vowel}`) ?? 0
    said.set(`${speaker}/${vowel}`, times + 1)
    const part = times >= ROUNDS - TEST_ROUNDS ? test : train
    part.inputs.push(Array.from({ length: 9 }, (_, i) => numberAt(table, row, i + 1, ORIGINAL.file)))
    part.labels.push(VOWELS.indexOf(vowel))
    part.clients.push(speaker)
  }
  const names = Array.from({ length: 15 }, (_, i) => `speaker ${i + 1}`)
  const natural = { names, train: Int32Array.from(train.clients), test: Int32Array.from(test.clients) }
  return { train: toDataset(train, VOWELS.length), test: toDataset(test, VOWELS.length), classNames: VOWELS, natural }
}

function emptyPart(): { inputs: number[][]; labels: number[]; clients: number[] } {
  return { inputs: [], labels: [], clients: [] }
}
