import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { FedweaveError } from '@fedweave/aggregator'
import { makeFolder, replaceFile } from '@fedweave/aggregator/node'
import { unzipSync } from 'fflate'

/** One file of a published data set, as it is after unpacking. */
export interface Original {
  /** Folder of the data set below `FEDWEAVE_DATA_DIR` and the cache. */
  readonly folder: string
  readonly file: string
  /** Of the unpacked bytes: copies in circulation are often altered. */
  readonly sha256: string
  /** Where the publisher has it; absent where it has no stable address. */
  readonly url?: string
  /** Its way through zip archives at that address. */
  readonly inside?: readonly string[]
  /** Folders in which distributions install it, gzipped or not. */
  readonly installed?: readonly string[]
  /** How to get it by hand. */
  readonly byHand?: string
}

export interface LibraryOptions {
  /** Default: `FEDWEAVE_DATA_DIR`, if set. Read first, never written. */
  readonly folder?: string | undefined
  /** Default: `fedweave/data` in the user's cache folder. */
  readonly cache?: string
  readonly onProgress?: (progress: FetchProgress) => void
}

export interface FetchProgress {
  readonly url: string
  readonly bytes: number
  /** Absent where the server does not say. */
  readonly of?: number
}

/** Reads published data sets from this machine, or fetches them once; either way byte for byte the pinned ones. */
export class DataLibrary {
  readonly #folder: string | undefined
  readonly #cache: string
  readonly #onProgress: (progress: FetchProgress) => void
  readonly #downloads = new Map<string, Promise<Uint8Array>>()

  constructor({ folder, cache, onProgress }: LibraryOptions = {}) {
    this.#folder = folder ?? process.env.FEDWEAVE_DATA_DIR
    this.#cache = cache ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'fedweave', 'data')
    this.#onProgress = onProgress ?? (() => undefined)
  }

  /**
   * The bytes of a file: from `FEDWEAVE_DATA_DIR`, the cache, a distribution's folder, or its publisher. Throws
   * `FL_DATASET_SHAPE` for a file that is not the published one, `FL_DATASET_UNAVAILABLE` saying where it is and where to put it.
   */
  async read(original: Original): Promise<Uint8Array> {
    const { folder, file, installed = [] } = original
    const cached = join(this.#cache, folder, file)
    const places = [
      ...(this.#folder === undefined ? [] : [join(this.#folder, folder, file)]),
      cached,
      ...installed.map((at) => join(at, file)),
    ]
    for (const path of places) {
      const bytes = await readIfThere(path)
      if (bytes !== undefined) return checked(original, bytes, path)
    }
    const bytes = checked(original, await this.#fetch(original, cached), original.url as string)
    await makeFolder(join(this.#cache, folder))
    await replaceFile(cached, bytes)
    return bytes
  }

  async text(original: Original): Promise<string> {
    return new TextDecoder().decode(await this.read(original))
  }

  async #fetch(original: Original, cached: string): Promise<Uint8Array> {
    const { url, inside = [], file } = original
    if (url === undefined) throw unavailable(original, cached, 'it has no stable address to fetch it from')
    let download = this.#downloads.get(url)
    if (download === undefined) {
      download = this.#download(url)
      this.#downloads.set(url, download)
    }
    let bytes: Uint8Array
    try {
      bytes = await download
    } catch (cause) {
      throw unavailable(original, cached, `${url} cannot be fetched: ${reasonOf(cause)}`, cause)
    }
    for (const member of inside) {
      const found = unzipSync(bytes, { filter: ({ name }) => name === member })[member]
      if (found === undefined) throw unavailable(original, cached, `the archive at ${url} holds no ${member}`)
      bytes = found
    }
    return file.endsWith('.gz') ? bytes : gunzipIfPacked(bytes)
  }

  async #download(url: string): Promise<Uint8Array> {
    const response = await fetch(url)
    if (!response.ok || response.body === null) throw new Error(`status ${response.status}`)
    const length = Number(response.headers.get('content-length'))
    const parts: Uint8Array[] = []
    let bytes = 0
    for await (const part of response.body) {
      parts.push(part)
      bytes += part.length
      this.#onProgress({ url, bytes, ...(length > 0 ? { of: length } : {}) })
    }
    return new Uint8Array(Buffer.concat(parts))
  }
}

/** The file at `path`, or the gzipped one beside it. */
async function readIfThere(path: string): Promise<Uint8Array | undefined> {
  for (const [name, unpack] of [
    [path, gunzipIfPacked],
    [`${path}.gz`, gunzipIfPacked],
  ] as const) {
    try {
      return unpack(new Uint8Array(await readFile(name)))
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    }
  }
  return undefined
}

function gunzipIfPacked(bytes: Uint8Array): Uint8Array {
  return bytes[0] === 0x1f && bytes[1] === 0x8b ? new Uint8Array(gunzipSync(bytes)) : bytes
}

function checked({ file, sha256 }: Original, bytes: Uint8Array, from: string): Uint8Array {
  const got = createHash('sha256').update(bytes).digest('hex')
  if (got === sha256) return bytes
  throw new FedweaveError('FL_DATASET_SHAPE', `${file} from ${from} has the SHA-256 ${got}, the published file has ${sha256}`, {
    cure: 'Remove that file: it is damaged, or another edition. It is fetched anew, or take it from its publisher.',
  })
}

function unavailable(
  { folder, file, url, inside = [], byHand }: Original,
  cached: string,
  why: string,
  cause?: unknown,
): FedweaveError {
  const within = inside.length === 0 ? '' : ` (in it: ${inside.join(' > ')})`
  const get = byHand ?? `Download ${url}${within}`
  return new FedweaveError('FL_DATASET_UNAVAILABLE', `${folder}/${file} is not on this machine, and ${why}`, {
    cause,
    cure: `${get}, and put the file at ${cached}, or at ${folder}/${file} in a folder that FEDWEAVE_DATA_DIR names.`,
  })
}

function reasonOf(error: unknown): string {
  const { cause, message } = error as Error
  return cause instanceof Error && cause.message !== '' ? cause.message : message
}
