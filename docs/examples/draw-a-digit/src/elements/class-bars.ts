import { percent } from '../words.ts'

/** Probabilities of the ten digits, and the likeliest one large. */
export class ClassBars extends HTMLElement {
  readonly #answer = document.createElement('output')
  readonly #rows = Array.from({ length: 10 }, (_, digit) => {
    const row = document.createElement('li')
    row.innerHTML = `<span class="digit">${digit}</span><span class="track"><span class="bar"></span></span><span class="share"></span>`
    return row
  })

  connectedCallback(): void {
    this.#answer.className = 'answer'
    this.#answer.setAttribute('aria-live', 'polite')
    const list = document.createElement('ol')
    list.setAttribute('aria-label', 'Probability of each digit')
    list.append(...this.#rows)
    this.append(this.#answer, list)
    this.show(undefined)
  }

  /** Ten probabilities, or nothing where there is no digit. */
  show(probabilities: Float32Array | undefined): void {
    const best = probabilities === undefined ? -1 : probabilities.indexOf(Math.max(...probabilities))
    this.#answer.value = best < 0 ? '–' : String(best)
    this.#answer.setAttribute('aria-label', best < 0 ? 'no digit' : `${best}, ${percent(probabilities?.[best] as number)}`)
    for (const [digit, row] of this.#rows.entries()) {
      const share = probabilities?.[digit] ?? 0
      row.classList.toggle('best', digit === best)
      ;(row.querySelector('.bar') as HTMLElement).style.setProperty('--share', String(share))
      ;(row.querySelector('.share') as HTMLElement).textContent = probabilities === undefined ? '' : percent(share)
    }
  }
}
