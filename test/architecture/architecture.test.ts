import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { chainTo, importCycles } from './graph.ts'
import { exists, type Import, manifest, type SourceFile, sourcesOf } from './sources.ts'

/** Which packages of the workspace each one may import. */
const MAY_SEE = {
  aggregator: [],
  'client-sdk': ['aggregator'],
  server: ['aggregator'],
  simulations: ['aggregator', 'client-sdk', 'server'],
} as const satisfies Record<string, readonly string[]>

/** The aggregator's folders from the ground up: each imports those further left, but not its neighbours. */
const FLOORS = [['core'], ['crypto'], ['quantise', 'wire'], ['task'], ['secagg'], ['round', 'strategies'], ['testing']]
/** Built on the ground floor for one platform, and never imported by the floors. */
const PLATFORMS = { wasm: ['core', 'crypto'], node: ['core', 'crypto', 'wasm'] } as const

const MOST_LINES = 320
const MOST_MEDIAN_LINES = 120

const packages = Object.keys(MAY_SEE).map((folder) => ({ folder, manifest: manifest(folder) }))
const sources = new Map([...Object.keys(MAY_SEE), 'test'].map((folder) => [folder, sourcesOf(folder, packages)]))
const code = Object.keys(MAY_SEE).flatMap((folder) => sources.get(folder) ?? [])
const everything = [...sources.values()].flat()

describe('packages', () => {
  test.each(Object.entries(MAY_SEE))('%s imports no other package of the workspace than %j', (folder, allowed) => {
    const seen = filesIn(folder).flatMap(importsOf(({ target }) => target !== undefined && packageOf(target) !== folder))
    expect(seen.filter(({ target }) => !allowed.some((other) => packageOf(target) === other)).map(place)).toEqual([])
  })

  test('packages import each other by name, never by path', () => {
    const crossing = importsOf(({ specifier, target }) => specifier.startsWith('.') && target !== undefined)
    expect(
      code.flatMap((file) => crossing(file).filter(({ target }) => packageOf(target) !== packageOf(file.path))).map(place),
    ).toEqual([])
  })

  test.each(packages)('$folder imports only packages that its package.json names', ({ folder, manifest }) => {
    const named = new Set([manifest.name, ...Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies })])
    const bare = importsOf(({ specifier }) => !/^(\.|node:)/.test(specifier))
    const own = filesIn(folder).filter(({ path }) => path.startsWith(`${folder}/src/`))
    expect(own.flatMap((file) => bare(file).filter(({ specifier }) => !named.has(packageName(specifier)))).map(place)).toEqual([])
  })

  test.each(packages)('every entry point that $folder exports is there', ({ folder, manifest }) => {
    const entries = Object.values(manifest.exports ?? {}).map(({ source }) => join(folder, source))
    expect(entries.filter((path) => !exists(path))).toEqual([])
  })

  test('loading a root entry point loads no TensorFlow.js', () => {
    const roots = packages.flatMap(({ folder, manifest: { exports } }) =>
      exports?.['.'] === undefined ? [] : [join(folder, exports['.'].source)],
    )
    expect(roots.map((entry) => chainTo(code, entry, /^@tensorflow\//)?.join(' -> ')).filter(Boolean)).toEqual([])
  })

  test('end-to-end tests use public entry points only', () => {
    const inside = importsOf(({ specifier, target }) => specifier.startsWith('.') && packageOf(target) !== 'test')
    const e2e = filesIn('test').filter(({ path }) => path.startsWith('test/e2e/'))
    expect(e2e.flatMap(inside).map(place)).toEqual([])
  })
})

describe('the floors of the aggregator', () => {
  const files = filesIn('aggregator').filter(({ path }) => path !== 'aggregator/src/index.ts')

  test('every folder has its place', () => {
    const known = [...FLOORS.flat(), ...Object.keys(PLATFORMS)].sort()
    expect([...new Set(files.map(({ path }) => floorOf(path)))].sort()).toEqual(known)
  })

  test.each(FLOORS.flat())('%s imports itself and the floors below', (folder) => {
    const below = FLOORS.slice(
      0,
      FLOORS.findIndex((floor) => floor.includes(folder)),
    ).flat()
    expect(strays(folder, below)).toEqual([])
  })

  test.each(Object.entries(PLATFORMS))('%s imports itself and %j', (folder, below) => {
    expect(strays(folder, below)).toEqual([])
  })

  test('no package from outside but tweetnacl and @noble, and no Node API but in node', () => {
    const bare = importsOf(({ specifier }) => !/^(\.|tweetnacl$|@noble\/(ciphers|hashes)\/)/.test(specifier))
    const inNode = ({ path }: SourceFile) => floorOf(path) === 'node'
    const foreign = files.flatMap((file) => bare(file).filter(({ specifier }) => !(inNode(file) && /^node:/.test(specifier))))
    expect(foreign.map(place)).toEqual([])
  })

  test('the root entry point leads to the pure floors only', () => {
    const root = filesIn('aggregator').filter(({ path }) => path === 'aggregator/src/index.ts')
    const pure = FLOORS.flat().filter((folder) => folder !== 'testing')
    const elsewhere = importsOf(({ target }) => target === undefined || !pure.includes(floorOf(target)))
    expect(root).toHaveLength(1)
    expect(root.flatMap(elsewhere).map(place)).toEqual([])
  })

  function strays(folder: string, below: readonly string[]): string[] {
    const up = importsOf(({ target }) => target !== undefined && ![folder, ...below].includes(floorOf(target)))
    return files
      .filter(({ path }) => floorOf(path) === folder)
      .flatMap(up)
      .map(place)
  }
})

describe('files', () => {
  test('no file imports itself by way of others', () => {
    expect(importCycles(code)).toEqual([])
  })

  test('only configs of tools export a default', () => {
    expect(everything.flatMap(({ path, defaultExports }) => defaultExports.map((line) => `${path}:${line}`))).toEqual([])
  })

  test('nothing is random without a seed: Math.random is nowhere', () => {
    expect(everything.flatMap(({ path, mathRandom }) => mathRandom.map((line) => `${path}:${line}`))).toEqual([])
  })

  test(`no file is longer than ${MOST_LINES} lines, and half are below ${MOST_MEDIAN_LINES}`, () => {
    const lengths = everything.map(({ lines }) => lines).sort((a, b) => a - b)
    const median = lengths[lengths.length >> 1] as number
    console.log(`${lengths.length} source files, median ${median} lines, longest ${lengths.at(-1)}`)
    expect(everything.filter(({ lines }) => lines > MOST_LINES).map(({ path, lines }) => `${path}: ${lines}`)).toEqual([])
    expect(median).toBeLessThan(MOST_MEDIAN_LINES)
  })
})

interface Found extends Import {
  readonly from: string
}

function filesIn(folder: string): readonly SourceFile[] {
  return sources.get(folder) ?? []
}

function importsOf(wanted: (found: Import) => boolean): (file: SourceFile) => Found[] {
  return ({ path, imports }) => imports.filter(wanted).map((found) => ({ ...found, from: path }))
}

function place({ from, line, specifier }: Found): string {
  return `${from}:${line} imports ${specifier}`
}

function packageOf(path: string | undefined): string | undefined {
  return path?.split('/')[0]
}

/** The folder below aggregator/src. */
function floorOf(path: string): string {
  return path.split('/')[2] as string
}

/** `@scope/name` or `name`, without the path inside the package. */
function packageName(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')
}
