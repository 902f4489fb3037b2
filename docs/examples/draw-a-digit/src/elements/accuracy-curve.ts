import type { CommittedRound } from '@fedweave/client/browser'
import { percent } from '../words.ts'

const [WIDTH, HEIGHT] = [560, 260]
const EDGE = { left: 44, right: 18, top: 18, bottom: 34 }

/** Accuracy on the server's test images after each round; as a table for those who do not see it. */
export class AccuracyCurve extends HTMLElement {
  show(rounds: readonly CommittedRound[], planned: number): void {
    const points = rounds.flatMap(({ round, evaluation }) =>
      evaluation?.accuracy === undefined ? [] : [{ round, accuracy: evaluation.accuracy }],
    )
    if (points.length === 0) {
      this.innerHTML = '<p class="empty">The curve begins with the first round.</p>'
      return
    }
    const rows = points.map(({ round, accuracy }) => `<tr><td>${round}</td><td>${percent(accuracy)}</td></tr>`).join('')
    this.innerHTML = `${this.#chart(points, planned)}<table class="hidden"><caption>Accuracy after each round</caption><tr><th>round</th><th>accuracy</th></tr>${rows}</table>`
  }

  #chart(points: readonly { readonly round: number; readonly accuracy: number }[], planned: number): string {
    const last = points.at(-1) as (typeof points)[number]
    const most = Math.max(5, Math.min(planned, Math.ceil(last.round * 1.25)))
    const x = (round: number) => EDGE.left + ((round - 1) / Math.max(1, most - 1)) * (WIDTH - EDGE.left - EDGE.right)
    const y = (accuracy: number) => HEIGHT - EDGE.bottom - accuracy * (HEIGHT - EDGE.top - EDGE.bottom)
    const grid = [0, 0.25, 0.5, 0.75, 1]
      .map(
        (value) =>
          `<line class="grid" x1="${EDGE.left}" x2="${WIDTH - EDGE.right}" y1="${y(value)}" y2="${y(value)}" /><text x="${EDGE.left - 10}" y="${y(value) + 4}" text-anchor="end">${value * 100}</text>`,
      )
      .join('')
    const every = Math.max(1, Math.ceil(most / 8))
    const ticks = Array.from({ length: most }, (_, i) => i + 1)
      .filter((round) => round === 1 || round % every === 0)
      .map((round) => `<text x="${x(round)}" y="${HEIGHT - 10}" text-anchor="middle">${round}</text>`)
      .join('')
    const path = points
      .map(({ round, accuracy }, i) => `${i === 0 ? 'M' : 'L'}${x(round).toFixed(1)} ${y(accuracy).toFixed(1)}`)
      .join(' ')
    const dots = points
      .map(({ round, accuracy }) => `<circle cx="${x(round)}" cy="${y(accuracy)}" r="${points.length > 30 ? 2 : 4}" />`)
      .join('')
    const label = `<text class="now" x="${x(last.round)}" y="${y(last.accuracy) + (last.accuracy > 0.85 ? 26 : -14)}" text-anchor="${last.round > most / 2 ? 'end' : 'start'}">${percent(last.accuracy)}</text>`
    return `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" aria-hidden="true">${grid}${ticks}<path d="${path}" />${dots}${label}<text class="axis" x="${WIDTH - EDGE.right}" y="${HEIGHT - EDGE.bottom - 8}" text-anchor="end">round</text></svg>`
  }
}
