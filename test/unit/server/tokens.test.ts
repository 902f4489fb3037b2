import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { TokenBook } from '../../../server/src/enrolment/tokens.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fedweave-tokens-'))
})
afterEach(() => rm(folder, { recursive: true }))

const identity = (n: number) => new Uint8Array(32).fill(n)
const refused = (message: string) => ({ code: 'FL_ENROLMENT_REFUSED', message })

test('a single-use token admits one identity, that one again, and no other', async () => {
  const book = new TokenBook(folder)
  const { token } = await book.create({ uses: 1 })
  await book.admit(identity(1), token)
  await book.admit(identity(1), token)
  await expect(book.admit(identity(2), token)).rejects.toMatchObject(refused('the invite token is used up'))
})

test('of a hundred identities that show a token of five uses at once, to two books on one folder, exactly five are admitted', async () => {
  const [here, there] = [new TokenBook(folder), new TokenBook(folder)]
  const { id, token } = await here.create({ uses: 5 })
  const outcomes = await Promise.allSettled(
    Array.from({ length: 100 }, (_, n) => (n % 2 ? here : there).admit(identity(n), token)),
  )
  expect(outcomes.filter(({ status }) => status === 'fulfilled').length).toBe(5)
  expect(await there.list()).toMatchObject([{ id, uses: 5, used: 5 }])
})

test('nothing on the disk contains the secret of a token', async () => {
  const { token } = await new TokenBook(folder).create({ uses: 3, label: 'ward 7' })
  const secret = token.split('_').at(-1) as string
  const files = await readdir(folder, { recursive: true, withFileTypes: true })
  const contents = await Promise.all(
    files.filter((file) => file.isFile()).map((file) => readFile(join(file.parentPath, file.name), 'utf8')),
  )
  expect(contents.join()).toContain('ward 7')
  expect(contents.join()).not.toContain(secret)
})

test('a missing, unknown, altered, expired or revoked token is refused with its reason, and makes no file', async () => {
  const book = new TokenBook(folder)
  const { id, token } = await book.create({ uses: 10, expiresAt: 1000 }, 0)
  const files = await readdir(folder, { recursive: true })
  const stranger = 'the invite token is not one of this service'
  const last = token.endsWith('A') ? 'B' : 'A'
  const wrong = [
    [undefined, 'enrolment needs an invite token'],
    ['', stranger],
    [`fwt_${'0'.repeat(16)}_${'a'.repeat(43)}`, stranger],
    [token.slice(0, -1) + last, stranger],
    [`${token}x`, stranger],
    ['fwt_../../etc/passwd_', stranger],
  ] as const
  for (const [shown, why] of wrong) await expect(book.admit(identity(1), shown, 0)).rejects.toMatchObject(refused(why))
  await expect(book.admit(identity(1), token, 1000)).rejects.toMatchObject(refused('the invite token has expired'))
  expect(await readdir(folder, { recursive: true })).toEqual(files)
  await book.admit(identity(1), token, 999)
  await book.revoke(id)
  await expect(book.admit(identity(1), token, 999)).rejects.toMatchObject(refused('the invite token is revoked'))
  expect(await book.list()).toMatchObject([{ id, uses: 10, used: 1, revoked: true, expiresAt: 1000 }])
})

test('to revoke what is not there, or to create for no one, is an error that says so', async () => {
  const book = new TokenBook(folder)
  for (const id of ['0'.repeat(16), '..', '__proto__', ''])
    await expect(book.revoke(id)).rejects.toMatchObject(refused(`there is no token ${JSON.stringify(id)}`))
  for (const uses of [0, 1001, 1.5]) await expect(book.create({ uses })).rejects.toMatchObject({ code: 'FL_OUT_OF_RANGE' })
})
