import type { Labels } from '@fedweave/client/training'
import type { Dataset } from '../data/dataset.ts'

/** The same examples on shared memory, which worker threads read without a copy of their own. */
export function shareDataset(dataset: Dataset): Dataset {
  return { ...dataset, xs: shareFloats(dataset.xs), labels: shareLabels(dataset.labels) }
}

function shareLabels(labels: Labels): Labels {
  return labels instanceof Float32Array ? shareFloats(labels) : shareIntegers(labels)
}

export function shareFloats(values: Float32Array): Float32Array {
  if (values.buffer instanceof SharedArrayBuffer) return values
  const shared = new Float32Array(new SharedArrayBuffer(values.byteLength))
  shared.set(values)
  return shared
}

function shareIntegers(values: Int32Array): Int32Array {
  if (values.buffer instanceof SharedArrayBuffer) return values
  const shared = new Int32Array(new SharedArrayBuffer(values.byteLength))
  shared.set(values)
  return shared
}
