import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { zipSync } from 'fflate'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { DataLibrary, type FetchProgress, type Original } from '../../../simulations/src/data/library.ts'

const CONTENT = new TextEncoder().encode('a,b\n1,2\n')
const sha256 = createHash('sha256').update(CONTENT).digest('hex')

let server: Server
let base: string
let folder: string
let cache: string
let requests: string[]
const served: Record<string, Uint8Array> = {
  '/plain.csv': CONTENT,
  '/packed.csv.gz': gzipSync(CONTENT),
  '/archive.zip': zipSync({ 'inner.zip': zipSync({ 'folder/table.csv': CONTENT, 'folder/other.csv': CONTENT }) }),
  '/altered.csv': new TextEncoder().encode('a,b\n1,3\n'),
}

beforeEach(async () => {
  requests = []
  server = createServer(({ url = '' }, response) => {
    requests.push(url)
    const body = served[url]
    if (body === undefined) response.writeHead(404).end()
    else response.writeHead(200, { 'content-length': body.length }).end(body)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const root = await mkdtemp(join(tmpdir(), 'library-'))
  folder = join(root, 'data')
  cache = join(root, 'cache')
})

afterEach(async () => {
  server.close()
  await rm(join(folder, '..'), { recursive: true, force: true })
})

const original = (path: string, more: Partial<Original> = {}): Original => ({
  folder: 'set',
  file: 'table.csv',
  sha256,
  url: `${base}${path}`,
  ...more,
})

describe('a published file', () => {
  test.each(['/plain.csv', '/packed.csv.gz'])(
    'is fetched from %s once, unpacked, and read from the cache after that',
    async (path) => {
      const progress: FetchProgress[] = []
      const library = () => new DataLibrary({ folder, cache, onProgress: (event) => progress.push(event) })
      expect(await library().read(original(path))).toEqual(CONTENT)
      expect(await library().read(original(path))).toEqual(CONTENT)
      expect(requests).toEqual([path])
      expect(new Uint8Array(await readFile(join(cache, 'set', 'table.csv')))).toEqual(CONTENT)
      const size = served[path]?.length
      expect(progress.at(-1)).toEqual({ url: `${base}${path}`, bytes: size, of: size })
    },
  )

  test('is found in archives within archives, which are fetched once for all their files', async () => {
    const library = new DataLibrary({ folder, cache })
    const inside = ['inner.zip', 'folder/table.csv']
    expect(await library.read(original('/archive.zip', { inside }))).toEqual(CONTENT)
    const other = original('/archive.zip', { file: 'other.csv', inside: ['inner.zip', 'folder/other.csv'] })
    expect(await library.text(other)).toBe('a,b\n1,2\n')
    expect(requests).toEqual(['/archive.zip'])
  })

  test('in FEDWEAVE_DATA_DIR wins over the network, gzipped or not', async () => {
    await mkdir(join(folder, 'set'), { recursive: true })
    await writeFile(join(folder, 'set', 'table.csv.gz'), gzipSync(CONTENT))
    expect(await new DataLibrary({ folder, cache }).read(original('/plain.csv'))).toEqual(CONTENT)
    expect(requests).toEqual([])
  })

  test('that a distribution installs is read there', async () => {
    await mkdir(folder, { recursive: true })
    await writeFile(join(folder, 'table.csv.gz'), gzipSync(CONTENT))
    const library = new DataLibrary({ folder: join(folder, 'elsewhere'), cache })
    expect(await library.read(original('/plain.csv', { installed: [folder] }))).toEqual(CONTENT)
    expect(requests).toEqual([])
  })

  test('with another checksum is refused, and does not enter the cache', async () => {
    const library = new DataLibrary({ folder, cache })
    const error = await library.read(original('/altered.csv')).catch((caught: unknown) => caught)
    expect(error).toMatchObject({
      code: 'FL_DATASET_SHAPE',
      message: expect.stringContaining(`the published file has ${sha256}`),
    })
    await expect(readFile(join(cache, 'set', 'table.csv'))).rejects.toMatchObject({ code: 'ENOENT' })
  })

  test.each([
    ['/missing.csv', 'status 404'],
    ['/archive.zip', 'holds no nothing.csv'],
  ])('that %s does not have is unavailable: the message says where it is, and the cure where to put it', async (path, why) => {
    const library = new DataLibrary({ folder, cache })
    const error = await library
      .read(original(path, path === '/archive.zip' ? { inside: ['nothing.csv'] } : {}))
      .catch((caught: unknown) => caught)
    expect(error).toMatchObject({ code: 'FL_DATASET_UNAVAILABLE', message: expect.stringContaining(why) })
    const { cure } = error as { cure: string }
    expect(cure).toContain(`${base}${path}`)
    expect(cure).toContain(join(cache, 'set', 'table.csv'))
    expect(cure).toContain('FEDWEAVE_DATA_DIR')
  })

  test('offline, it says so', async () => {
    const url = `${base}/plain.csv`
    server.close()
    await once(server, 'close')
    await expect(new DataLibrary({ folder, cache }).read({ ...original(''), url })).rejects.toMatchObject({
      code: 'FL_DATASET_UNAVAILABLE',
      message: expect.stringMatching(/cannot be fetched: .*ECONNREFUSED/),
    })
  })

  test('without an address says how to get it by hand', async () => {
    const { url: _url, ...homeless } = original('')
    await expect(new DataLibrary({ folder, cache }).read({ ...homeless, byHand: 'Write it in R' })).rejects.toMatchObject({
      code: 'FL_DATASET_UNAVAILABLE',
      cure: expect.stringMatching(/^Write it in R, and put the file at /),
    })
  })
})
