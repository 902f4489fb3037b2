import { byId, paintDigit } from './dom.ts'
import type { Drawings } from './drawings.ts'

/** Shows the kept drawings, each with its name and a way to throw it away. */
export function showTray(drawings: Drawings): void {
  const { all } = drawings
  byId('count').textContent =
    all.length === 0 ? 'none yet: draw one, and name it' : `${all.length} ${all.length === 1 ? 'digit' : 'digits'}, here only`
  byId('tray').replaceChildren(
    ...all.map(({ digit, label }, i) => {
      const item = document.createElement('li')
      const button = document.createElement('button')
      button.type = 'button'
      button.title = `Throw away this ${label}`
      button.setAttribute('aria-label', button.title)
      const canvas = document.createElement('canvas')
      canvas.width = 28
      canvas.height = 28
      const name = document.createElement('span')
      name.textContent = String(label)
      button.append(canvas, name)
      button.addEventListener('click', () => drawings.remove(i))
      item.append(button)
      queueMicrotask(() => paintDigit(canvas, digit))
      return item
    }),
  )
}
