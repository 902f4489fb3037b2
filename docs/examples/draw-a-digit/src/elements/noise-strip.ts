/** Fresh random bytes as grey values: what a masked update looks like to everybody who has not all the others' as well. */
export class NoiseStrip extends HTMLElement {
  readonly #canvas = document.createElement('canvas')

  connectedCallback(): void {
    this.#canvas.className = 'noise'
    this.#canvas.width = 192
    this.#canvas.height = 24
    this.#canvas.setAttribute('role', 'img')
    this.#canvas.setAttribute('aria-label', 'Noise: what a masked update looks like')
    this.append(this.#canvas)
    const caption = document.createElement('p')
    caption.textContent = 'To the server it looks like this.'
    this.append(caption)
    this.shuffle()
  }

  shuffle(): void {
    const { width, height } = this.#canvas
    const noise = crypto.getRandomValues(new Uint8Array(width * height))
    const pixels = new Uint8ClampedArray(4 * noise.length)
    for (const [i, value] of noise.entries()) pixels.set([value, value, value, 255], 4 * i)
    this.#canvas.getContext('2d')?.putImageData(new ImageData(pixels, width, height), 0, 0)
  }
}
