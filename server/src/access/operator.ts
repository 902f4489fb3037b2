import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { join } from 'node:path'
import { FedweaveError, utf8 } from '@fedweave/aggregator'
import { createFile, readPrivate } from '@fedweave/aggregator/node'
import { type JwtOptions, type JwtVerifier, jwtVerifier } from './jwt.ts'

/** Where the operator's API key lies in the data folder. */
export const OPERATOR_KEY_FILE = 'operator-api.key'

export interface OperatorOptions {
  /** SHA-256 of the API key. */
  readonly keyHash: Uint8Array
  readonly jwt?: JwtOptions
}

/** Tells the operator from everybody else. Keeps only the hash of the API key. */
export class OperatorGate {
  readonly #keyHash: Uint8Array
  readonly #verify: JwtVerifier | undefined

  private constructor(keyHash: Uint8Array, verify: JwtVerifier | undefined) {
    this.#keyHash = keyHash
    this.#verify = verify
  }

  /** Without a key nobody is the operator. Throws `FL_CONFIG_INVALID` for a key set that cannot be used. */
  static async open({ keyHash, jwt }: Partial<OperatorOptions> = {}): Promise<OperatorGate> {
    const verify = jwt === undefined ? undefined : await jwtVerifier(jwt, 'FL_OPERATOR_ONLY')
    return new OperatorGate(keyHash ?? new Uint8Array(randomBytes(32)), verify)
  }

  /** Takes the value of an `Authorization` header. Throws `FL_OPERATOR_ONLY`. */
  async check(authorization: string | undefined): Promise<void> {
    const [, credential] = /^Bearer ([\w.~+/=-]{1,8192})$/.exec(authorization ?? '') ?? []
    if (credential === undefined) throw new FedweaveError('FL_OPERATOR_ONLY', 'this route is for the operator')
    if (timingSafeEqual(hashOfKey(credential), this.#keyHash)) return
    if (this.#verify === undefined || !credential.includes('.'))
      throw new FedweaveError('FL_OPERATOR_ONLY', "the credential is not the operator's")
    await this.#verify(credential)
  }
}

export function hashOfKey(key: string): Uint8Array {
  return createHash('sha256').update(key).digest()
}

/** The hash of the API key in `folder`, which is made at the first start. Throws `FL_KEYSTORE`, also where others can read it. */
export async function operatorKeyHash(folder: string): Promise<Uint8Array> {
  const path = join(folder, OPERATOR_KEY_FILE)
  await createFile(path, utf8(`fwo_${randomBytes(32).toString('base64url')}\n`))
  const file = await readPrivate(path)
  if (file?.exposed)
    throw new FedweaveError('FL_KEYSTORE', `other users can read ${path}, which holds the operator's API key`, {
      cure: `Remove it, and the next start makes another; or, if nobody read it, run \`chmod 600 ${path}\`.`,
    })
  const key = file?.text.trim() ?? ''
  if (!/^[\w.~+/=-]{32,8192}$/.test(key))
    throw new FedweaveError('FL_KEYSTORE', `${path} holds no API key of 32 characters or more`)
  return hashOfKey(key)
}
