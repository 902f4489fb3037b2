import { type Ink, inkOfPhoto } from '../digit.ts'

const SIZE = 140
const EVERY_MS = 200

/** The camera's middle, a few times a second. Fires `ink`; frames go nowhere else. */
export class CameraView extends HTMLElement {
  readonly #video = document.createElement('video')
  readonly #canvas = document.createElement('canvas')
  #timer: ReturnType<typeof setInterval> | undefined
  ink: Ink | undefined

  connectedCallback(): void {
    this.#video.muted = true
    this.#video.playsInline = true
    this.#video.setAttribute('aria-label', 'What the camera sees')
    this.#canvas.width = SIZE
    this.#canvas.height = SIZE
    const frame = document.createElement('div')
    frame.className = 'aim'
    this.append(this.#video, frame)
  }

  /** Throws what the browser says where there is no camera, or no leave to use it. */
  async start(): Promise<void> {
    if (navigator.mediaDevices === undefined) throw new DOMException('no camera on a page without https', 'NotAllowedError')
    const stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: 'environment', width: { ideal: 640 } } })
    this.#video.srcObject = stream
    await this.#video.play()
    this.#timer = setInterval(() => this.#look(), EVERY_MS)
  }

  stop(): void {
    clearInterval(this.#timer)
    const stream = this.#video.srcObject as MediaStream | null
    for (const track of stream?.getTracks() ?? []) track.stop()
    this.#video.srcObject = null
    this.ink = undefined
  }

  #look(): void {
    const { videoWidth, videoHeight } = this.#video
    const side = Math.min(videoWidth, videoHeight) * 0.6 // what the frame on the screen shows
    if (side === 0) return
    const context = this.#canvas.getContext('2d', { willReadFrequently: true }) as CanvasRenderingContext2D
    context.drawImage(this.#video, (videoWidth - side) / 2, (videoHeight - side) / 2, side, side, 0, 0, SIZE, SIZE)
    this.ink = inkOfPhoto(context.getImageData(0, 0, SIZE, SIZE))
    this.dispatchEvent(new Event('ink'))
  }
}
