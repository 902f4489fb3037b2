import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { initWasm, Resvg } from '@resvg/resvg-wasm'

/** Sans-serif fonts where systems keep them: WebAssembly sees none of itself, and plots without words say nothing. */
const FONTS = [
  '/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf',
  '/usr/share/fonts/truetype/liberation/LiberationSans-Regular.ttf',
  '/usr/share/fonts/dejavu-sans-fonts/DejaVuSans.ttf',
  '/usr/share/fonts/TTF/DejaVuSans.ttf',
  '/System/Library/Fonts/Supplemental/Arial.ttf',
  'C:\\Windows\\Fonts\\arial.ttf',
]

/** Turns SVG documents into PNG files, twice as large. */
export type Rasteriser = (svg: string) => Uint8Array

let started: Promise<void> | undefined

/** A rasteriser, or nothing where no font is found. */
export async function rasteriser(fonts: readonly string[] = FONTS): Promise<Rasteriser | undefined> {
  const found = await firstReadable(fonts)
  if (found === undefined) return undefined
  started ??= readFile(createRequire(import.meta.url).resolve('@resvg/resvg-wasm/index_bg.wasm')).then((wasm) => initWasm(wasm))
  await started
  return (svg) => {
    const font = { fontBuffers: [found], loadSystemFonts: false }
    const image = new Resvg(svg, { font, background: 'white', fitTo: { mode: 'zoom', value: 2 } })
    return image.render().asPng()
  }
}

async function firstReadable(paths: readonly string[]): Promise<Uint8Array | undefined> {
  for (const path of paths) {
    const bytes = await readFile(path).catch(() => undefined)
    if (bytes !== undefined) return new Uint8Array(bytes)
  }
  return undefined
}
