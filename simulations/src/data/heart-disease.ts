import type { Federation } from '../scenarios/scenario.ts'
import { parseCsv } from './csv.ts'
import type { DataLibrary, Original } from './library.ts'
import { oneHot, standardise, toDataset } from './matrix.ts'

const COLUMNS = 'age,sex,cp,trestbps,chol,fbs,restecg,thalach,exang,oldpeak,slope,ca,thal,num'.split(',')
/** Of `COLUMNS`: inputs that FLamby uses. The last three are missing in most rows of three hospitals. */
const INPUTS = 10

interface Hospital {
  readonly name: string
  readonly file: string
  readonly sha256: string
  /** Complete rows, counted from 0, that FLamby keeps for tests: scikit-learn's stratified split of 34 % with seed 43. */
  readonly test: readonly number[]
}

const HOSPITALS: readonly Hospital[] = [
  {
    name: 'Cleveland',
    file: 'processed.cleveland.data',
    sha256: 'a74b7efa387bc9d108d7d0115d831fe9b414b29ae7124f331b622b4efa0427c8',
    test: [
      5, 13, 16, 24, 26, 34, 40, 42, 43, 46, 47, 48, 49, 53, 55, 56, 59, 60, 61, 63, 64, 65, 69, 72, 76, 78, 86, 87, 88, 90, 91,
      93, 95, 101, 103, 104, 105, 113, 116, 123, 128, 133, 134, 135, 136, 137, 151, 152, 154, 156, 157, 160, 163, 165, 170, 171,
      179, 180, 188, 190, 192, 197, 201, 202, 203, 211, 213, 215, 216, 218, 221, 223, 224, 227, 228, 233, 236, 239, 243, 246, 249,
      250, 256, 257, 258, 259, 260, 264, 265, 266, 270, 283, 284, 285, 288, 289, 290, 292, 294, 295, 296, 297, 298, 301,
    ],
  },
  {
    name: 'Budapest',
    file: 'processed.hungarian.data',
    sha256: 'd1ad108f785768cd3d7e82dc522e6f5a61eea93cccfb3a46ee8076f73fc3d796',
    test: [
      3, 7, 16, 21, 25, 26, 27, 28, 29, 32, 34, 35, 36, 41, 47, 48, 49, 51, 53, 58, 60, 61, 64, 68, 73, 74, 75, 84, 85, 87, 89,
      91, 95, 104, 107, 110, 111, 112, 117, 118, 120, 123, 127, 128, 131, 132, 136, 137, 139, 143, 145, 149, 155, 158, 159, 161,
      164, 169, 172, 179, 182, 186, 188, 189, 190, 191, 193, 194, 196, 199, 202, 203, 204, 206, 213, 219, 223, 224, 234, 236, 239,
      243, 248, 250, 251, 252, 254, 258, 259,
    ],
  },
  {
    name: 'Zurich and Basel',
    file: 'processed.switzerland.data',
    sha256: '834a405ccf5b66ab4056bb77794adc8df0b7125186454c0a1d002d33c6c3b314',
    test: [5, 6, 7, 8, 13, 14, 18, 19, 20, 22, 24, 28, 29, 32, 40, 41],
  },
  {
    name: 'Long Beach',
    file: 'processed.va.data',
    sha256: 'e7c93d8d0d2acdadfa4c5e8de768e2191e7f618b952e29623f1f0d5949ff6b8f',
    test: [
      1, 5, 6, 9, 12, 26, 29, 33, 35, 36, 38, 39, 41, 42, 45, 47, 54, 60, 61, 62, 64, 66, 67, 68, 73, 75, 76, 78, 79, 85, 88, 92,
      97, 98, 110, 111, 112, 114, 117, 118, 119, 121, 125, 127, 128,
    ],
  },
]

/**
 * Fed-Heart-Disease (Janosi, Steinbrunn, Pfisterer, Detrano 1988; UCI 45, CC BY 4.0) with the rows, the labels and the split of
 * the FLamby benchmark (Ogier du Terrail et al. 2022): four hospitals, rows with gaps left out, 13 inputs after one-hot
 * coding; the label says whether there is a disease. Inputs have mean 0 and deviation 1 over all hospitals' training rows, as
 * in FLamby's pooled test; hospitals would get these sums by secure aggregation too.
 */
export async function heartDisease(library: DataLibrary): Promise<Federation> {
  const [train, test] = [emptyPart(), emptyPart()]
  for (const [index, hospital] of HOSPITALS.entries()) {
    const { file } = hospital
    const { rows } = parseCsv(await library.text(original(hospital)), file, COLUMNS)
    const complete = rows.filter((row) => !row.slice(0, INPUTS).includes('?'))
    const kept = new Set(hospital.test)
    for (const [i, row] of complete.entries()) {
      const part = kept.has(i) ? test : train
      part.inputs.push(inputsOf(row))
      part.labels.push(Number(row.at(-1)) > 0 ? 1 : 0)
      part.clients.push(index)
    }
  }
  const scaled = (part: typeof train) => ({ ...part, inputs: standardise(part.inputs, train.inputs) })
  return {
    train: toDataset(scaled(train), 2),
    test: toDataset(scaled(test), 2),
    classNames: ['healthy', 'heart disease'],
    natural: {
      names: HOSPITALS.map(({ name }) => name),
      train: Int32Array.from(train.clients),
      test: Int32Array.from(test.clients),
    },
  }
}

function emptyPart(): { inputs: number[][]; labels: number[]; clients: number[] } {
  return { inputs: [], labels: [], clients: [] }
}

function original({ file, sha256 }: Hospital): Original {
  const url = `https://archive.ics.uci.edu/ml/machine-learning-databases/heart-disease/${file}`
  return { folder: 'fed-heart-disease', file, sha256, url }
}

/** Chest pain and the electrocardiogram are kinds, not amounts; the first kind follows from the others. */
function inputsOf(row: readonly string[]): number[] {
  return row.slice(0, INPUTS).flatMap((field, column) => {
    const value = Number(field)
    if (COLUMNS[column] === 'cp') return oneHot(value, [2, 3, 4])
    if (COLUMNS[column] === 'restecg') return oneHot(value, [1, 2])
    return [value]
  })
}
