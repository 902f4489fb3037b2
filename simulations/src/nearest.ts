/** The name that `typed` was probably meant to be; nothing where none is near. */
export function nearest(typed: string, names: readonly string[]): string | undefined {
  const ranked = names.map((name) => ({ name, distance: distance(typed.toLowerCase(), name) }))
  ranked.sort((a, b) => a.distance - b.distance)
  const [best] = ranked
  return best !== undefined && best.distance <= Math.max(2, best.name.length / 2) ? best.name : undefined
}

/** Levenshtein's: fewest insertions, deletions and substitutions that lead from one to the other. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (const [i, from] of [...a].entries()) {
    const next = [i + 1]
    for (const [j, to] of [...b].entries()) {
      const change = (row[j] as number) + (from === to ? 0 : 1)
      next.push(Math.min(change, (row[j + 1] as number) + 1, (next[j] as number) + 1))
    }
    row = next
  }
  return row[b.length] as number
}
