import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** Folders that hold code of a package, as opposed to what is built, generated or installed. */
const CODE = ['src', 'bench', 'bin', 'native']

export interface Import {
  readonly specifier: string
  readonly line: number
  /** `type` imports are erased; a `dynamic` one loads when it is called. */
  readonly kind: 'static' | 'dynamic' | 'type'
  /** Path of the imported source, where it lies in this workspace. */
  readonly target: string | undefined
}

export interface SourceFile {
  /** From the root of the workspace, as are all paths here. */
  readonly path: string
  readonly lines: number
  readonly imports: readonly Import[]
  /** Lines that export a default. */
  readonly defaultExports: readonly number[]
  /** Lines that name `Math.random`. */
  readonly mathRandom: readonly number[]
}

export interface Manifest {
  readonly name: string
  readonly exports?: Readonly<Record<string, { readonly source: string }>>
  readonly dependencies?: Readonly<Record<string, string>>
  readonly peerDependencies?: Readonly<Record<string, string>>
}

export function manifest(folder: string): Manifest {
  return JSON.parse(readFileSync(join(ROOT, folder, 'package.json'), 'utf8')) as Manifest
}

/** The sources of a package, or of the tests, in the order of their paths. */
export function sourcesOf(folder: string, manifests: readonly { folder: string; manifest: Manifest }[]): SourceFile[] {
  const within = folder === 'test' ? ['test'] : CODE.map((name) => join(folder, name))
  return within
    .flatMap(filesBelow)
    .filter((path) => /\.(ts|js|mjs)$/.test(path))
    .sort()
    .map((path) => read(path, manifests))
}

export function exists(path: string): boolean {
  return existsSync(join(ROOT, path))
}

function filesBelow(folder: string): string[] {
  if (!exists(folder)) return []
  return readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.startsWith('.'))
    .map((entry) => join(entry.parentPath, entry.name).slice(ROOT.length))
}

function read(path: string, manifests: readonly { folder: string; manifest: Manifest }[]): SourceFile {
  const text = readFileSync(join(ROOT, path), 'utf8')
  const file = ts.createSourceFile(path, text, ts.ScriptTarget.ES2022)
  const imports: Import[] = []
  const defaultExports: number[] = []
  const mathRandom: number[] = []
  const lineOf = (node: ts.Node) => file.getLineAndCharacterOfPosition(node.getStart(file)).line + 1
  const add = (node: ts.Node, specifier: ts.Node | undefined, kind: Import['kind']) => {
    if (specifier === undefined || !ts.isStringLiteralLike(specifier)) return
    const target = targetOf(path, specifier.text, manifests)
    imports.push({ specifier: specifier.text, line: lineOf(node), kind, target })
  }
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) {
      const erased = node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword
      add(node, node.moduleSpecifier, erased ? 'type' : 'static')
    } else if (ts.isExportDeclaration(node)) add(node, node.moduleSpecifier, node.isTypeOnly ? 'type' : 'static')
    else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword)
      add(node, node.arguments[0], 'dynamic')
    else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) add(node, node.argument.literal, 'type')
    if (exportsDefault(node)) defaultExports.push(lineOf(node))
    if (ts.isPropertyAccessExpression(node) && node.getText(file) === 'Math.random') mathRandom.push(lineOf(node))
    ts.forEachChild(node, visit)
  }
  visit(file)
  return { path, lines: text.split('\n').length - 1, imports, defaultExports, mathRandom }
}

function exportsDefault(node: ts.Node): boolean {
  if (ts.isExportAssignment(node)) return true
  if (ts.isExportSpecifier(node)) return node.name.text === 'default'
  return ts.canHaveModifiers(node) && (ts.getModifiers(node)?.some(({ kind }) => kind === ts.SyntaxKind.DefaultKeyword) ?? false)
}

function targetOf(
  from: string,
  specifier: string,
  manifests: readonly { folder: string; manifest: Manifest }[],
): string | undefined {
  if (specifier.startsWith('.')) return normalize(join(dirname(from), specifier))
  for (const { folder, manifest } of manifests) {
    if (specifier !== manifest.name && !specifier.startsWith(`${manifest.name}/`)) continue
    const source = manifest.exports?.[`.${specifier.slice(manifest.name.length)}`]?.source
    return source === undefined ? undefined : normalize(join(folder, source))
  }
  return undefined
}
