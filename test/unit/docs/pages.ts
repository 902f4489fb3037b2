import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** The text of a file, by its path from the root of the workspace. */
export function page(path: string): string {
  return readFileSync(fileURLToPath(new URL(`../../../${path}`, import.meta.url)), 'utf8')
}

/** A table's rule, between its head and its rows. */
const RULE = /^\|[-:| ]+\|$/

/** The rows of a page's tables as trimmed cells, without heads and rules. */
export function tableRows(text: string): string[][] {
  const lines = text.split('\n')
  return lines.flatMap((line, i) => {
    if (!line.startsWith('|') || RULE.test(line) || RULE.test(lines[i + 1] ?? '')) return []
    return [
      line
        .slice(1, line.lastIndexOf('|'))
        .split('|')
        .map((cell) => cell.trim()),
    ]
  })
}
