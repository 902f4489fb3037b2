import { scryptSync } from 'node:crypto'
import { chmod, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import nacl from 'tweetnacl'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { fromHex } from '../../../aggregator/src/core/bytes.ts'
import { loadOrCreateKey } from '../../../aggregator/src/node/key-file.ts'

let folder: string
let path: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fedweave-key-'))
  path = join(folder, 'keys', 'operator.key')
})
afterEach(() => rm(folder, { recursive: true }))

const seed = Uint8Array.from({ length: 32 }, (_, i) => i + 1)
const create = () => seed.slice()
const never = () => {
  throw new Error('a second key was made')
}
const mode = async (file: string) => (await stat(file)).mode & 0o777

describe('without a passphrase', () => {
  test('a key is made once, for its owner alone, and comes back with a warning', async () => {
    const warning = `${path} holds a key in the clear (mode 0600); give a passphrase to encrypt it`
    expect(await loadOrCreateKey(path, { create })).toEqual({ seed, created: true, warning })
    expect(await mode(path)).toBe(0o600)
    expect(await mode(join(folder, 'keys'))).toBe(0o700)
    expect(await readdir(join(folder, 'keys'))).toEqual(['operator.key'])
    expect(await loadOrCreateKey(path, { create: never })).toEqual({ seed, created: false, warning })
  })

  test('the file is the documented JSON', async () => {
    await loadOrCreateKey(path, { create })
    expect(JSON.parse(await readFile(path, 'utf8'))).toEqual({
      format: 'fedweave-key/1',
      seed: '0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20',
      check: 'ae216c2ef5247a37', // sha256sum of the 32 bytes
    })
  })

  test.each([0o640, 0o604, 0o660, 0o666])('a file of mode %o is refused', async (bits) => {
    await loadOrCreateKey(path, { create })
    await chmod(path, bits)
    await expect(loadOrCreateKey(path, { create: never })).rejects.toMatchObject({
      code: 'FL_KEYSTORE',
      message: `other users can read ${path}, which holds a key in the clear`,
      cure: expect.stringContaining(`chmod 600 ${path}`),
    })
  })

  test('ten callers at once get one key', async () => {
    const keys = await Promise.all(
      Array.from({ length: 10 }, (_, i) => loadOrCreateKey(path, { create: () => seed.map((byte) => byte ^ i) })),
    )
    expect(keys.filter(({ created }) => created).length).toBe(1)
    const winner = keys.find(({ created }) => created)?.seed
    for (const key of keys) expect(key.seed).toEqual(winner)
    expect(await readdir(join(folder, 'keys'))).toEqual(['operator.key'])
  })

  test('a damaged file is refused and stays as it is', async () => {
    await loadOrCreateKey(path, { create })
    const whole = await readFile(path, 'utf8')
    const damages = ['', whole.slice(0, -3), whole.replace('0102', '0103'), whole.replace('key/1', 'key/2'), '{}', 'null', '[]']
    for (const text of damages) {
      await writeFile(path, text)
      await expect(loadOrCreateKey(path, { create: never })).rejects.toMatchObject({
        code: 'FL_KEYSTORE',
        message: expect.stringContaining(`${path} is damaged`),
      })
      expect(await readFile(path, 'utf8')).toBe(text)
    }
  })
})

// Each opening takes scrypt's half second, so that one file serves all tests.
describe('under a passphrase', () => {
  const passphrase = 'Schlüssel № 5'
  let shared: string
  let file: { format: string; kdf: { name: string; N: number; r: number; p: number; salt: string }; box: string }
  beforeAll(async () => {
    shared = await mkdtemp(join(tmpdir(), 'fedweave-key-'))
    const made = join(shared, 'identity.key')
    expect(await loadOrCreateKey(made, { passphrase, create })).toEqual({ seed, created: true })
    expect(await mode(made)).toBe(0o600)
    file = JSON.parse(await readFile(made, 'utf8'))
  })
  afterAll(() => rm(shared, { recursive: true }))
  beforeEach(() => {
    path = join(folder, 'identity.key')
    return writeFile(path, JSON.stringify(file), { mode: 0o600 })
  })

  test('the file opens with scrypt and NaCl secretbox as documented', () => {
    expect(file).toEqual({
      format: 'fedweave-key/1',
      kdf: { name: 'scrypt', N: 131_072, r: 8, p: 1, salt: expect.stringMatching(/^[0-9a-f]{32}$/) },
      box: expect.stringMatching(/^[0-9a-f]{144}$/), // 24 bytes of nonce, 16 of tag, 32 of seed
    })
    const { salt, N, r, p } = file.kdf
    const key = scryptSync(passphrase.normalize('NFKC'), fromHex(salt), 32, { N, r, p, maxmem: 2 ** 28 })
    const bytes = fromHex(file.box)
    expect(nacl.secretbox.open(bytes.subarray(24), bytes.subarray(0, 24), key)).toEqual(seed)
  })

  test('another spelling of the same characters opens it, also where other users can read the file', async () => {
    await chmod(path, 0o644)
    const spelling = passphrase.normalize('NFD')
    expect(spelling).not.toBe(passphrase)
    expect(await loadOrCreateKey(path, { passphrase: spelling, create: never })).toEqual({ seed, created: false })
  })

  test('another passphrase, none and an empty one do not open it', async () => {
    const refusals = [
      [{ passphrase: `${passphrase} ` }, `the passphrase does not open ${path}, or the file was altered`],
      [{}, `${path} is encrypted, and no passphrase was given`],
      [{ passphrase: '' }, `the passphrase for ${path} is empty`],
    ] as const
    for (const [options, message] of refusals) {
      await expect(loadOrCreateKey(path, { ...options, create: never })).rejects.toMatchObject({ code: 'FL_KEYSTORE', message })
    }
  })

  test('an altered file is refused', async () => {
    const flipped = (hex: string) => (hex[0] === '0' ? '1' : '0') + hex.slice(1)
    const alterations = [
      [{ ...file, box: flipped(file.box) }, 'the file was altered'],
      [{ ...file, kdf: { ...file.kdf, salt: flipped(file.kdf.salt) } }, 'the file was altered'],
      [{ ...file, kdf: { ...file.kdf, N: 2 ** 40 } }, 'is damaged'], // would take 2^50 bytes
      [{ ...file, kdf: { ...file.kdf, name: 'argon2' } }, 'is damaged'],
      [{ ...file, box: undefined }, 'is damaged'],
    ] as const
    for (const [altered, message] of alterations) {
      await writeFile(path, JSON.stringify(altered))
      await expect(loadOrCreateKey(path, { passphrase, create: never })).rejects.toMatchObject({
        code: 'FL_KEYSTORE',
        message: expect.stringContaining(message),
      })
    }
  })

  test('a plain file is encrypted the first time one is given', async () => {
    await rm(path)
    await loadOrCreateKey(path, { create })
    expect(await loadOrCreateKey(path, { passphrase, create: never })).toEqual({ seed, created: false })
    expect(await mode(path)).toBe(0o600)
    await expect(loadOrCreateKey(path, { create: never })).rejects.toMatchObject({
      message: `${path} is encrypted, and no passphrase was given`,
    })
    expect((await loadOrCreateKey(path, { passphrase, create: never })).seed).toEqual(seed)
  })
})

test('a path that cannot be used is refused with the reason', async () => {
  await writeFile(join(folder, 'keys'), 'a file where the folder should be')
  await expect(loadOrCreateKey(path, { create })).rejects.toMatchObject({
    code: 'FL_KEYSTORE',
    message: expect.stringContaining(`cannot use ${path}: ENOTDIR`),
  })
  const link = join(folder, 'link')
  await symlink(join(folder, 'nothing'), link)
  await expect(loadOrCreateKey(link, { create })).rejects.toMatchObject({ code: 'FL_KEYSTORE' })
})
