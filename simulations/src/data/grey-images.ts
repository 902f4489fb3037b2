import { checkRows, type Dataset } from './dataset.ts'
import { parseIdx } from './idx.ts'

/**
 * Images and labels of IDX files: grey values divided by 255, [height, width, 1]. `rows`: which examples, in this order; all if left
 * out. The values lie on shared memory, where worker threads can read them. Throws `FL_DATASET_SHAPE` and `FL_OUT_OF_RANGE`.
 */
export function greyImages(imageFile: Uint8Array, labelFile: Uint8Array, rows?: Int32Array): Dataset {
  const images = parseIdx(imageFile)
  const labels = parseIdx(labelFile).data
  const [, height, width] = images.shape as [number, number, number]
  const size = height * width
  const chosen = rows ?? Int32Array.from(labels.keys())
  checkRows(chosen, labels.length)
  const xs = new Float32Array(new SharedArrayBuffer(4 * chosen.length * size))
  for (const [i, row] of chosen.entries()) {
    for (let pixel = 0; pixel < size; pixel++) xs[i * size + pixel] = (images.data[row * size + pixel] as number) / 255
  }
  return { xs, shape: [height, width, 1], labels: chosen.map((row) => labels[row] as number), classes: 10 }
}
