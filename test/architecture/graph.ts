import type { Import, SourceFile } from './sources.ts'

/**
 * Cycles of imports between files, each as the list of its files: the strongly connected components of more than one
 * file (Tarjan 1972). Dynamic imports are left out, because they load after both sides are there.
 */
export function importCycles(files: readonly SourceFile[]): string[][] {
  const edges = new Map(files.map(({ path, imports }) => [path, targets(imports, (kind) => kind !== 'dynamic')]))
  const index = new Map<string, number>()
  const low = new Map<string, number>()
  const stack: string[] = []
  const cycles: string[][] = []
  const visit = (path: string): void => {
    index.set(path, index.size)
    low.set(path, index.get(path) as number)
    stack.push(path)
    for (const next of edges.get(path) ?? []) {
      if (!index.has(next)) visit(next)
      if (stack.includes(next)) low.set(path, Math.min(low.get(path) as number, low.get(next) as number))
    }
    if (low.get(path) !== index.get(path)) return
    const component = stack.splice(stack.indexOf(path))
    if (component.length > 1) cycles.push(component.sort())
  }
  for (const path of edges.keys()) if (!index.has(path)) visit(path)
  return cycles
}

/** The chain of imports by which loading `entry` loads a package that `matches`; undefined where none does. */
export function chainTo(files: readonly SourceFile[], entry: string, matches: RegExp): readonly string[] | undefined {
  const byPath = new Map(files.map((file) => [file.path, file]))
  const seen = new Set([entry])
  const queue: (readonly string[])[] = [[entry]]
  for (let chain = queue.shift(); chain !== undefined; chain = queue.shift()) {
    const file = byPath.get(chain.at(-1) as string)
    for (const { kind, specifier, target } of file?.imports ?? []) {
      if (kind !== 'static') continue
      if (matches.test(specifier)) return [...chain, specifier]
      if (target === undefined || seen.has(target)) continue
      seen.add(target)
      queue.push([...chain, target])
    }
  }
  return undefined
}

function targets(imports: readonly Import[], wanted: (kind: Import['kind']) => boolean): string[] {
  return imports.flatMap(({ kind, target }) => (target !== undefined && wanted(kind) ? [target] : []))
}
