import { expand, hash, hkdf, mac, noblePrg, sealBox, sha256, sharedKey, utf8 } from '@fedweave/aggregator'
import { type Field, tuple } from '../../aggregator/src/crypto/kdf.ts'
import { sealedBytes, seal as sealFrames } from '../../aggregator/src/crypto/seal.ts'
import { hexed } from './hex.ts'
import { clients, curves, known, modelBytes, SEED, weights } from './world.ts'

const bytesFrom = (label: string) => sha256(utf8(`${SEED}/${label}`))
const key = bytesFrom('key')

/** A field of a tuple with its kind, so that JSON can tell text from bytes. */
function field(value: Field) {
  if (typeof value === 'string') return { text: value }
  return typeof value === 'number' ? { number: value } : { bytes: hexed(value) }
}

const TUPLES: readonly (readonly Field[])[] = [
  [],
  [''],
  ['fedweave/v1', 'task'],
  ['ab', 'c'],
  ['a', 'bc'],
  [0, 1, 2 ** 53 - 1],
  ['mixed', 7, Uint8Array.of(0, 255), new Uint8Array(0)],
]

export function primitiveVectors() {
  const salt = bytesFrom('salt')
  const info = utf8('fw1/box and anything after it')
  const macFields = ['aborted', 7, Uint8Array.of(1, 2, 3)]
  const [one, other] = [known(clients[0]), known(clients[1])]
  const nonce = bytesFrom('nonce').slice(0, 24)
  const plaintext = utf8('what a dealer gives to a holder')
  return {
    tuple: TUPLES.map((fields) => ({ fields: fields.map(field), tuple: hexed(tuple(...fields)), hash: hexed(hash(...fields)) })),
    hkdf: hexed([
      { ikm: key, salt, info, key: hkdf(key, salt, info) },
      { ikm: key, salt: new Uint8Array(64), info: new Uint8Array(0), key: hkdf(key, new Uint8Array(64), new Uint8Array(0)) },
    ]),
    mac: [{ key: hexed(key), fields: macFields.map(field), mac: hexed(mac(key, ...macFields)) }],
    clientId: clients.map(({ identityKey, id }) => ({ identityKey: hexed(identityKey), id })),
    prg: [{ key: hexed(key), words: [...expand(noblePrg, key, 20)] }],
    model: { weights: [...weights], bytes: hexed(modelBytes(weights)), hash: hexed(sha256(modelBytes(weights))) },
    sharedKey: hexed({
      secret: one.channelSecret,
      publicKey: other.channelKey,
      raw: curves.x25519(one.channelSecret, other.channelKey),
      shared: sharedKey(curves, one.channelSecret, other.channelKey),
    }),
    box: hexed({ key, nonce, plaintext, box: sealBox(key, plaintext, { bytes: () => nonce }) }),
    seal: sealVectors(),
  }
}

/** Plaintext i is the bytes 0, 1, 2, ... mod 251, so that no two frames are alike. */
function sealVectors() {
  return [0, 1, 33, 65_536, 65_537].map((length) => {
    const sealed = sealFrames(
      key,
      Uint8Array.from({ length }, (_, i) => i % 251),
    )
    const small = length < 100 ? { sealed: hexed(sealed) } : {}
    return {
      key: hexed(key),
      plaintextBytes: length,
      sealedBytes: sealedBytes(length),
      sealedHash: hexed(sha256(sealed)),
      ...small,
    }
  })
}
