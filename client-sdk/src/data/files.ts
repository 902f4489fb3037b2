import { FedweaveError } from '@fedweave/aggregator'
import type { LocalDataset } from '../training/trainer.ts'
import { Examples, type InputSpec } from './examples.ts'
import { type PictureOptions, valuesOf } from './image.ts'

export interface ImageFileOptions extends PictureOptions {
  /** The class of a file, from 0. Default: by the folder that it lies in, the folders in the order of their names. */
  readonly label?: (file: File) => number
}

/**
 * Image files as a data set, such as the files of `<input type="file" webkitdirectory>`, where each folder is a class. Throws
 * `FL_DATASET_SHAPE` naming the file that is no image or has no class.
 */
export async function fromImageFiles(
  files: Iterable<File>,
  spec: InputSpec,
  options: ImageFileOptions = {},
): Promise<LocalDataset> {
  const all = [...files]
  const label = options.label ?? byFolder(all)
  const examples = new Examples(spec)
  for (const file of all) {
    const row = `${examples.count} (${pathOf(file)})`
    const picture = await createImageBitmap(file).catch((cause: unknown) => {
      throw new FedweaveError('FL_DATASET_SHAPE', `row ${row}: this file is no image that the browser can read`, { cause })
    })
    examples.add(valuesOf(picture, spec, options), label(file), row)
    picture.close()
  }
  return examples.dataset
}

function byFolder(files: readonly File[]): (file: File) => number {
  const folderOf = (file: File) => pathOf(file).split('/').slice(0, -1).join('/')
  const folders = [...new Set(files.map(folderOf))].sort()
  return (file) => folders.indexOf(folderOf(file))
}

function pathOf({ webkitRelativePath, name }: File): string {
  return webkitRelativePath || name
}
