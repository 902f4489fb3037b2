import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const css = readFileSync(fileURLToPath(new URL('../../../docs/examples/draw-a-digit/src/style.css', import.meta.url)), 'utf8')
const [light = '', dark = ''] = css.split('prefers-color-scheme: dark')

/** The colours that a part of the sheet names first. */
function colours(part: string): Readonly<Record<string, string>> {
  const named = [...part.matchAll(/--([\w-]+): (#[0-9a-f]{6});/g)].map(([, name = '', value = '']) => [name, value] as const)
  return Object.fromEntries(named.reverse())
}

/** WCAG 2.2: contrast ratio of relative luminances. */
function contrast(a: string, b: string): number {
  const luminance = (hex: string) => {
    const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
      const value = Number.parseInt(hex.slice(at, at + 2), 16) / 255
      return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4
    })
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
  }
  const [high, low] = [luminance(a), luminance(b)].sort((x, y) => y - x) as [number, number]
  return (high + 0.05) / (low + 0.05)
}

describe.each([
  ['light', colours(light)],
  ['dark', colours(dark)],
])('the %s colours of the example app', (_, named) => {
  it.each([
    ['ink', 'paper'],
    ['ink', 'sheet'],
    ['ink', 'wash'],
    ['soft', 'paper'],
    ['soft', 'sheet'],
    ['rust', 'sheet'],
    ['rust', 'paper'],
    ['on-teal', 'teal'],
  ])('let %s be read on %s: 4.5 to 1 at least', (text, ground) => {
    expect(contrast(String(named[text]), String(named[ground]))).toBeGreaterThanOrEqual(4.5)
  })
})
