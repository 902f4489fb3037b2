import type { SharedModel } from '@fedweave/client/browser'
import { toDigit } from './digit.ts'
import { byId, paintDigit } from './dom.ts'
import type { CameraView } from './elements/camera-view.ts'
import type { ClassBars } from './elements/class-bars.ts'
import type { DrawPad } from './elements/draw-pad.ts'
import { wordsFor } from './words.ts'

/** Reads what is drawn, or what the camera sees, with the shared model, as it changes. */
export class Recogniser {
  readonly #pad = byId<DrawPad>('pad')
  readonly #camera = byId<CameraView>('camera')
  readonly #bars = byId<ClassBars>('bars')
  readonly #sees = byId<HTMLCanvasElement>('sees')
  readonly #say: (words: string | undefined) => void
  #model: SharedModel | undefined
  #busy = false
  #again = false
  #filming = false

  constructor(say: (words: string | undefined) => void) {
    this.#say = say
    for (const source of [this.#pad, this.#camera]) source.addEventListener('ink', () => void this.look())
    byId('clear').addEventListener('click', () => this.#pad.clear())
    byId('by-hand').addEventListener('click', () => void this.#film(false))
    byId('by-camera').addEventListener('click', () => void this.#film(true))
  }

  /** Reads with this model from now on. */
  use(model: SharedModel): void {
    this.#model = model
    void this.look()
  }

  /** The digit as the model sees it; undefined where there is none. */
  get digit(): Float32Array | undefined {
    const ink = this.#filming ? this.#camera.ink : this.#pad.isEmpty ? undefined : this.#pad.ink
    return ink === undefined ? undefined : toDigit(ink)
  }

  clear(): void {
    if (!this.#filming) this.#pad.clear()
  }

  /** One look at a time: whatever changes meanwhile is looked at next. */
  async look(): Promise<void> {
    this.#again = true
    if (this.#busy) return
    this.#busy = true
    while (this.#again) {
      this.#again = false
      await new Promise(requestAnimationFrame)
      const digit = this.digit
      paintDigit(this.#sees, digit)
      byId<HTMLFieldSetElement>('name-it').disabled = digit === undefined
      try {
        const [probabilities] = digit === undefined ? [] : ((await this.#model?.predict(digit)) ?? [])
        this.#bars.show(probabilities)
      } catch (error) {
        this.#say(wordsFor(error))
      }
    }
    this.#busy = false
  }

  async #film(on: boolean): Promise<void> {
    if (on === this.#filming) return
    if (on) {
      try {
        await this.#camera.start()
      } catch (error) {
        const denied = (error as DOMException).name === 'NotAllowedError'
        this.#say(denied ? 'The camera may not be used here: allow it, and open this page over https.' : 'No camera was found.')
        return
      }
    } else this.#camera.stop()
    this.#say(undefined)
    this.#filming = on
    this.#camera.hidden = !on
    this.#pad.hidden = on
    byId('clear').hidden = on
    byId('by-hand').setAttribute('aria-pressed', String(!on))
    byId('by-camera').setAttribute('aria-pressed', String(on))
    void this.look()
  }
}
