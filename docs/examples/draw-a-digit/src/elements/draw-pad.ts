import type { Ink } from '../digit.ts'

/** Pixels of the canvas; the page may show it in any size. */
const SIZE = 336
const PEN = 26
/** How far an arrow key moves the pen. */
const STEP = 12

/** Paper to draw on: with a finger, a pen, a mouse, or the keys. Fires `ink` with every change. */
export class DrawPad extends HTMLElement {
  readonly #canvas = document.createElement('canvas')
  #last: { readonly x: number; readonly y: number } | undefined
  #pen = { x: SIZE / 2, y: SIZE / 3 }
  #empty = true

  connectedCallback(): void {
    this.#canvas.width = SIZE
    this.#canvas.height = SIZE
    this.#canvas.tabIndex = 0
    this.#canvas.setAttribute('role', 'img')
    this.#canvas.setAttribute(
      'aria-label',
      'Drawing area. Arrow keys move the pen, Shift with an arrow key draws, Delete clears.',
    )
    this.append(this.#canvas)
    this.#canvas.addEventListener('pointerdown', (event) => {
      this.#canvas.setPointerCapture(event.pointerId)
      this.#last = this.#place(event)
      this.#lineTo(this.#last)
    })
    this.#canvas.addEventListener('pointermove', (event) => {
      if (this.#last === undefined) return
      for (const part of event.getCoalescedEvents?.() ?? [event]) this.#lineTo(this.#place(part))
    })
    const up = () => {
      this.#last = undefined
    }
    this.#canvas.addEventListener('pointerup', up)
    this.#canvas.addEventListener('pointercancel', up)
    this.#canvas.addEventListener('keydown', (event) => this.#key(event))
  }

  get isEmpty(): boolean {
    return this.#empty
  }

  get ink(): Ink {
    const { data } = this.#context.getImageData(0, 0, SIZE, SIZE)
    const values = new Float32Array(SIZE * SIZE)
    for (let i = 0; i < values.length; i++) values[i] = (data[4 * i + 3] as number) / 255
    return { values, width: SIZE, height: SIZE }
  }

  clear(): void {
    this.#context.clearRect(0, 0, SIZE, SIZE)
    this.#empty = true
    this.toggleAttribute('data-drawn', false)
    this.dispatchEvent(new Event('ink'))
  }

  get #context(): CanvasRenderingContext2D {
    return this.#canvas.getContext('2d', { willReadFrequently: true }) as CanvasRenderingContext2D
  }

  #place({ clientX, clientY }: MouseEvent) {
    const { left, top, width, height } = this.#canvas.getBoundingClientRect()
    return { x: ((clientX - left) / width) * SIZE, y: ((clientY - top) / height) * SIZE }
  }

  #lineTo(to: { readonly x: number; readonly y: number }): void {
    const context = this.#context
    context.strokeStyle = getComputedStyle(this.#canvas).color
    context.lineWidth = PEN
    context.lineCap = 'round'
    context.lineJoin = 'round'
    context.beginPath()
    const from = this.#last ?? to
    context.moveTo(from.x, from.y)
    context.lineTo(to.x, to.y)
    context.stroke()
    if (this.#last !== undefined) this.#last = to
    this.touched()
  }

  /** Something was drawn on the canvas. */
  touched(): void {
    this.#empty = false
    this.toggleAttribute('data-drawn', true)
    this.dispatchEvent(new Event('ink'))
  }

  #key(event: KeyboardEvent): void {
    const moves: Readonly<Record<string, readonly [number, number]>> = {
      ArrowLeft: [-STEP, 0],
      ArrowRight: [STEP, 0],
      ArrowUp: [0, -STEP],
      ArrowDown: [0, STEP],
    }
    if (event.key === 'Delete' || event.key === 'Backspace') return this.clear()
    const move = moves[event.key]
    if (move === undefined) return
    event.preventDefault()
    const inside = (value: number) => Math.min(SIZE - PEN, Math.max(PEN, value))
    const to = { x: inside(this.#pen.x + move[0]), y: inside(this.#pen.y + move[1]) }
    if (event.shiftKey) {
      this.#last = this.#pen
      this.#lineTo(to)
      this.#last = undefined
    }
    this.#pen = to
    this.style.setProperty('--pen-x', `${(to.x / SIZE) * 100}%`)
    this.style.setProperty('--pen-y', `${(to.y / SIZE) * 100}%`)
  }
}
