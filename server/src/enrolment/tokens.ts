import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { FedweaveError, toHex, utf8 } from '@fedweave/aggregator'
import { createFile, makeFolder } from '@fedweave/aggregator/node'
import type { EnrolmentCheck } from './desk.ts'
import { takePlace } from './places.ts'

/** Most identities that one invite token can admit. */
export const MOST_TOKEN_USES = 1000

export interface NewToken {
  /** Identities that it admits; 1 to 1,000. */
  readonly uses: number
  /** Unix milliseconds. */
  readonly expiresAt?: number
  /** For people. */
  readonly label?: string
}

export interface TokenInfo extends NewToken {
  readonly id: string
  readonly createdAt: number
  readonly used: number
  readonly revoked: boolean
}

type Kept = NewToken & { readonly hash: string; readonly createdAt: number }

/**
 * Invite tokens, one folder each below `folder`: of the secret only its hash is kept, and each use and the revocation are
 * files of their own, so that the command line, a server and an enrolment process can work on one folder at once.
 */
export class TokenBook implements EnrolmentCheck {
  readonly mode = 'token'
  readonly #folder: string

  constructor(folder: string) {
    this.#folder = folder
  }

  /** Makes a token and returns it for the only time: `fwt_<id>_<secret>`. Throws `FL_OUT_OF_RANGE`. */
  async create(wanted: NewToken, now = Date.now()): Promise<{ readonly id: string; readonly token: string }> {
    const { uses, expiresAt, label } = wanted
    if (!Number.isInteger(uses) || uses < 1 || uses > MOST_TOKEN_USES) {
      throw new FedweaveError('FL_OUT_OF_RANGE', `a token admits 1 to ${MOST_TOKEN_USES} identities, got ${uses}`)
    }
    const id = randomBytes(8).toString('hex')
    const secret = randomBytes(32).toString('base64url')
    const kept: Kept = {
      hash: hashOf(secret).toString('hex'),
      uses,
      createdAt: now,
      ...(expiresAt === undefined ? {} : { expiresAt }),
      ...(label === undefined ? {} : { label }),
    }
    await makeFolder(join(this.#folder, id))
    await createFile(join(this.#folder, id, 'token.json'), utf8(JSON.stringify(kept)))
    return { id, token: `fwt_${id}_${secret}` }
  }

  /** Every token, the newest first; never its secret or hash. */
  async list(): Promise<readonly TokenInfo[]> {
    const ids = await namesIn(this.#folder)
    const all = await Promise.all(ids.filter(isId).map((id) => this.#info(id)))
    return all.filter((info) => info !== undefined).sort((a, b) => b.createdAt - a.createdAt || a.id.localeCompare(b.id))
  }

  /** No identity enrols with it any more; certificates that it gave stay. Throws `FL_ENROLMENT_REFUSED` where there is none. */
  async revoke(id: string): Promise<void> {
    if (!isId(id) || (await this.#read(id)) === undefined) {
      throw new FedweaveError('FL_ENROLMENT_REFUSED', `there is no token ${JSON.stringify(id)}`, {
        cure: 'Look its id up with `fedweave token list`.',
      })
    }
    await createFile(join(this.#folder, id, 'revoked'), new Uint8Array())
  }

  async admit(identityKey: Uint8Array, token: string | undefined, now = Date.now()): Promise<void> {
    if (token === undefined) throw refused('enrolment needs an invite token')
    const [, id, secret] = /^fwt_([0-9a-f]{16})_([\w-]{43})$/.exec(token) ?? []
    const kept = id === undefined ? undefined : await this.#read(id)
    // Compared also where there is no such token, so that the time tells nothing.
    const matches = timingSafeEqual(hashOf(secret ?? ''), Buffer.from(kept?.hash ?? '0'.repeat(64), 'hex'))
    if (id === undefined || kept === undefined || !matches) throw refused('the invite token is not one of this service')
    const folder = join(this.#folder, id)
    if ((await namesIn(folder)).includes('revoked')) throw refused('the invite token is revoked')
    if (kept.expiresAt !== undefined && kept.expiresAt <= now) throw refused('the invite token has expired')
    if (!(await takePlace(join(folder, 'uses'), kept.uses, toHex(identityKey)))) throw refused('the invite token is used up')
  }

  async #info(id: string): Promise<TokenInfo | undefined> {
    const kept = await this.#read(id)
    if (kept === undefined) return undefined
    const { hash: _, ...shown } = kept
    const folder = join(this.#folder, id)
    const used = (await namesIn(join(folder, 'uses'))).filter((name) => /^\d+$/.test(name)).length
    return { id, ...shown, used, revoked: (await namesIn(folder)).includes('revoked') }
  }

  /** Undefined also where a crash left a folder without its token. Throws `FL_STORE_DAMAGED`. */
  async #read(id: string): Promise<Kept | undefined> {
    const path = join(this.#folder, id, 'token.json')
    try {
      const kept = JSON.parse(await readFile(path, 'utf8')) as Kept
      if (/^[0-9a-f]{64}$/.test(kept.hash) && Number.isInteger(kept.uses)) return kept
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
      if (!(error instanceof SyntaxError)) throw error
    }
    throw new FedweaveError('FL_STORE_DAMAGED', `${path} is no invite token`)
  }
}

function isId(name: string): boolean {
  return /^[0-9a-f]{16}$/.test(name)
}

function hashOf(secret: string): Buffer {
  return createHash('sha256').update(secret).digest()
}

function refused(message: string): FedweaveError {
  return new FedweaveError('FL_ENROLMENT_REFUSED', message)
}

async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}
