import { existsSync, readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { page } from './pages.ts'

const root = fileURLToPath(new URL('../../..', import.meta.url))
const within = (folder: string) => readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
const pages = [...readdirSync(root), ...within('docs').map((path) => `docs/${path}`)].filter(
  (path) => path.endsWith('.md') && !path.includes('node_modules'),
)

test.each(pages)('every link of %s leads to a file, and to a heading where it names one', (path) => {
  const broken = [...page(path).matchAll(/\]\((?!https?:)([^)#]*)(#[^)]*)?\)/g)].flatMap(([, target = '', anchor]) => {
    const file = target === '' ? path : join(dirname(path), target)
    if (!existsSync(join(root, file))) return [target]
    return anchor === undefined || headings(page(file)).includes(anchor) ? [] : [`${target}${anchor}`]
  })
  expect(broken).toEqual([])
})

/** The anchors that a page's headings get: lowercase, spaces as hyphens, other signs left out. */
function headings(text: string): string[] {
  return [...text.matchAll(/^#+ (.*)$/gm)].map(
    ([, title = '']) =>
      `#${title
        .toLowerCase()
        .replace(/[^\w\- ]/g, '')
        .replaceAll(' ', '-')}`,
  )
}
