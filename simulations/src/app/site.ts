import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { extname, join, relative, sep } from 'node:path'
import { gzipSync } from 'node:zlib'

/** One file as it is sent. */
export interface SiteFile {
  readonly bytes: Buffer
  /** Present where it is smaller. */
  readonly gzipped?: Buffer
  readonly type: string
  readonly etag: string
  /** Whether its name changes with its content. */
  readonly forever: boolean
}

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.wasm': 'application/wasm',
  '.woff2': 'font/woff2',
}

/** A built site, a few MB, in memory by path: what is not in it cannot be asked for. */
export async function readSite(folder: string): Promise<ReadonlyMap<string, SiteFile>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const paths = entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name))
  return new Map(
    await Promise.all(
      paths.map(async (path): Promise<[string, SiteFile]> => {
        const name = relative(folder, path).split(sep).join('/')
        return [name, fileOf(name, await readFile(path))]
      }),
    ),
  )
}

function fileOf(name: string, bytes: Buffer): SiteFile {
  const gzipped = gzipSync(bytes, { level: 9 })
  return {
    bytes,
    ...(gzipped.length < 0.9 * bytes.length ? { gzipped } : {}),
    type: TYPES[extname(name)] ?? 'application/octet-stream',
    etag: `"${createHash('sha256').update(bytes).digest('base64url')}"`,
    forever: name.startsWith('assets/'),
  }
}
