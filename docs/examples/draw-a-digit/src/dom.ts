/** The element of that id, which index.html has. */
export function byId<T extends HTMLElement = HTMLElement>(id: string): T {
  const element = document.getElementById(id)
  if (element === null) throw new Error(`index.html has no #${id}`)
  return element as T
}

/** A digit of 28 x 28 as a picture, dark on light or light on dark, as the page is. */
export function paintDigit(canvas: HTMLCanvasElement, digit: Float32Array | undefined): void {
  const context = canvas.getContext('2d') as CanvasRenderingContext2D
  const pixels = context.createImageData(28, 28)
  const [red, green, blue] = getComputedStyle(canvas)
    .color.match(/[\d.]+/g)
    ?.map(Number) ?? [0, 0, 0]
  for (let i = 0; i < 784; i++) pixels.data.set([red ?? 0, green ?? 0, blue ?? 0, 255 * (digit?.[i] ?? 0)], 4 * i)
  context.putImageData(pixels, 0, 0)
}
