import * as sources from '@fedweave/client/data'

declare global {
  interface Window {
    sources: typeof sources
    /** A picture of one colour, as a file. */
    fileOf(colour: string, path: string): Promise<File>
  }
}

window.sources = sources
window.fileOf = async (colour, path) => {
  const canvas = new OffscreenCanvas(40, 40)
  const context = canvas.getContext('2d') as OffscreenCanvasRenderingContext2D
  context.fillStyle = colour
  context.fillRect(0, 0, 40, 40)
  const file = new File([await canvas.convertToBlob()], path.split('/').at(-1) as string)
  return Object.defineProperty(file, 'webkitRelativePath', { value: path })
}
