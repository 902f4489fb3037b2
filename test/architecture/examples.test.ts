import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { expect, test } from 'vitest'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

const pages = [
  'README.md',
  ...readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' }).map((path) => `docs/${path}`),
]
  .filter((path) => path.endsWith('.md') && !path.includes('node_modules'))
  .sort()

/** Each TypeScript example by the name of a file that it could be: its page, and its line there. */
const examples = new Map(
  pages.flatMap((path) => {
    const text = readFileSync(join(ROOT, path), 'utf8')
    return [...text.matchAll(/^```ts\n(.*?)^```/gms)].map(({ 1: code = '', index }): [string, string] => {
      const line = text.slice(0, index).split('\n').length + 1
      return [join(ROOT, 'test', `${path.replaceAll('/', '_')}_${line}.ts`), code]
    })
  }),
)

test('every TypeScript example in the documentation compiles against the packages', () => {
  const config = ts.readConfigFile(join(ROOT, 'test/tsconfig.json'), ts.sys.readFile)
  const { options } = ts.parseJsonConfigFileContent(config.config, ts.sys, join(ROOT, 'test'))
  const host = ts.createCompilerHost(options)
  const { fileExists, readFile, getSourceFile } = host
  host.fileExists = (name) => examples.has(name) || fileExists(name)
  host.readFile = (name) => examples.get(name) ?? readFile(name)
  host.getSourceFile = (name, version, ...rest) => {
    const code = examples.get(name)
    return code === undefined ? getSourceFile(name, version, ...rest) : ts.createSourceFile(name, code, version)
  }
  const program = ts.createProgram([...examples.keys()], options, host)
  const problems = [...examples.keys()].flatMap((name) => {
    const file = program.getSourceFile(name)
    return [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)].map(
      ({ messageText, start = 0 }) =>
        `${name.slice(ROOT.length)}: line ${(file?.getLineAndCharacterOfPosition(start).line ?? 0) + 1} of the example: ` +
        ts.flattenDiagnosticMessageText(messageText, ' '),
    )
  })
  expect(examples.size).toBeGreaterThan(0)
  expect(problems).toEqual([])
})
