/**
 * Compiles assembly/ into the modules that client-sdk/src/kernels/generated/ holds as base64 strings.
 *
 *   node client-sdk/native/build.mjs           write the generated files
 *   node client-sdk/native/build.mjs --check   compare them with what the sources give; exits 1 where they differ
 *
 * The compiler is WebAssembly itself, so the bytes depend on its version only, not on the machine. Where that version
 * is not installed the check says so and passes: `npm install --no-save assemblyscript@0.28.20`.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'

const COMPILER_VERSION = '0.28.20'
const here = fileURLToPath(new URL('.', import.meta.url))
const generated = fileURLToPath(new URL('../src/kernels/generated/', import.meta.url))

const shared = ['--enable', 'threads', '--sharedMemory', '--maximumMemory', '65536']
const relaxed = ['--enable', 'relaxed-simd']
const variants = {
  simd: [],
  'simd-shared': shared,
  relaxed,
  'relaxed-shared': [...shared, ...relaxed],
}

const asc = await loadCompiler()
if (asc === undefined) {
  console.warn(`SKIPPED: assemblyscript ${COMPILER_VERSION} is not installed, the kernel modules were neither built nor checked`)
} else {
  const check = process.argv.includes('--check')
  if (!check) await mkdir(generated, { recursive: true })
  for (const [name, flags] of Object.entries(variants)) {
    const bytes = await compile(flags)
    const path = `${generated}${name}.ts`
    const text = moduleText(name, bytes)
    if (!check) {
      await writeFile(path, text)
    } else if ((await readFile(path, 'utf8').catch(() => '')) !== text) {
      console.error(`${name}.ts is not what the sources in client-sdk/native/assembly give`)
      process.exitCode = 1
      continue
    }
    console.log(`${name}: ${bytes.length} bytes ${check ? 'as committed' : 'written'}`)
  }
}

async function loadCompiler() {
  const require = createRequire(import.meta.url)
  try {
    if (require('assemblyscript/package.json').version !== COMPILER_VERSION) return undefined
    return (await import('assemblyscript/asc')).default
  } catch {
    return undefined
  }
}

async function compile(flags) {
  const output = new Map()
  const { error, stderr } = await asc.main(
    [
      ...['assembly/index.ts', '--baseDir', here],
      ...['--outFile', 'kernels.wasm', '-O3', '--noAssert', '--runtime', 'stub', '--importMemory', '--enable', 'simd'],
      // 201: sizes are u32 and pointers usize, one width on wasm32. 112: no v128 crosses to JavaScript.
      ...['--disableWarning', '201', '--disableWarning', '112'],
      ...flags,
    ],
    { writeFile: (name, contents) => output.set(name, contents), stdout: asc.createMemoryStream() },
  )
  if (error) throw new Error(`${error.message}\n${stderr?.toString() ?? ''}`)
  return output.get('kernels.wasm')
}

function moduleText(name, bytes) {
  const base64 = Buffer.from(bytes).toString('base64')
  return `// Generated from client-sdk/native/assembly by client-sdk/native/build.mjs: do not edit.
/** The ${name} module, ${bytes.length} bytes, in base64. */
export const wasm =
  '${base64}'
`
}
