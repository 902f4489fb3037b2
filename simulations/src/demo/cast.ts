import { randomBytes } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type ClientId, certificate, certify, clientIdOf, encode, toHex } from '@fedweave/aggregator'
import { nodeCurves } from '@fedweave/aggregator/node'
import { fileStore } from '@fedweave/client'

/** One client of the demo before it runs: its store, and the certificate that the enrolment key gave its identity. */
export interface Player {
  readonly name: string
  readonly id: ClientId
  readonly store: string
  readonly certificate: string
}

const VALID_DAYS = 1

/**
 * The enrolment that an operator's registration desk does, away from the server: makes the enrolment key, has every
 * client make its own identity, and certifies them. The key is gone when this returns.
 */
export async function enrolClients(
  folder: string,
  count: number,
): Promise<{ readonly enrolmentKey: string; readonly players: readonly Player[] }> {
  const enrolmentSeed = new Uint8Array(randomBytes(32))
  const notAfter = Math.floor(Date.now() / 1000) + VALID_DAYS * 86_400
  const players: Player[] = []
  for (let i = 1; i <= count; i++) {
    const store = join(folder, `client-${i}`)
    const { seed } = await fileStore(store).identity(() => new Uint8Array(randomBytes(32)))
    const identityKey = nodeCurves.ed25519Public(seed)
    const path = join(folder, `client-${i}.certificate`)
    await writeFile(path, toHex(encode(certificate, certify(nodeCurves, enrolmentSeed, identityKey, notAfter))))
    players.push({ name: `client ${i}`, id: clientIdOf(identityKey), store, certificate: path })
  }
  const enrolmentKey = toHex(nodeCurves.ed25519Public(enrolmentSeed))
  enrolmentSeed.fill(0)
  return { enrolmentKey, players }
}
