import { readdirSync } from 'node:fs'
import { decodeClientMessage, decodeServerMessage, encodeClientMessage, encodeServerMessage } from '@fedweave/aggregator'
import { describe, expect, test } from 'vitest'
import { committed, fileOf, VECTORS, type VectorName } from '../vectors/build.ts'
import { counters, lagrange, pack, prg, quantise, ringBits, rotate, shareAt } from '../vectors/reference/arithmetic.ts'
import { H, HKDF, hex, join, MAC, sha256, tuple, unhex } from '../vectors/reference/bytes.ts'
import { ed25519, publicOf, x25519 } from '../vectors/reference/curves.ts'
import { kOut } from '../vectors/reference/graph.ts'
import { hsalsa20, seal, secretbox } from '../vectors/reference/salsa.ts'
import { encodeBy, layouts } from '../vectors/reference/specification.ts'
import { replay } from '../vectors/replay.ts'

const names = Object.keys(VECTORS) as VectorName[]

describe('the library computes the committed vectors', () => {
  for (const name of names) {
    test(`${name}.json`, () => {
      expect(JSON.parse(JSON.stringify(VECTORS[name]()))).toEqual(committed(name))
    })
  }

  test('and no other file lies beside them', () => {
    expect(readdirSync(new URL('.', fileOf('ring'))).sort()).toEqual(names.map((name) => `${name}.json`).sort())
  })

  test('each message decodes to its fields and encodes to the same bytes', () => {
    const { clientToServer, serverToClient } = committed('messages')
    for (const { bytes } of clientToServer) expect(hex(encodeClientMessage(decodeClientMessage(unhex(bytes))))).toBe(bytes)
    for (const { bytes } of serverToClient) expect(hex(encodeServerMessage(decodeServerMessage(unhex(bytes))))).toBe(bytes)
  })
})

describe('an implementation on node:crypto alone computes the same', () => {
  const fieldOf = (field: { text?: string; number?: number; bytes?: string }) =>
    field.text ?? field.number ?? unhex(field.bytes as string)

  test('tuples, hashes, HKDF, MACs and client ids', () => {
    const { tuple: tuples, hkdf, mac, clientId } = committed('primitives')
    for (const vector of tuples) {
      const fields = vector.fields.map(fieldOf)
      expect(hex(tuple(...fields))).toBe(vector.tuple)
      expect(hex(H(...fields))).toBe(vector.hash)
    }
    for (const { ikm, salt, info, key } of hkdf) expect(hex(HKDF(unhex(ikm), unhex(salt), unhex(info)))).toBe(key)
    for (const { key, fields, mac: tag } of mac) expect(hex(MAC(unhex(key), ...fields.map(fieldOf)))).toBe(tag)
    for (const { identityKey, id } of clientId) {
      expect(hex(sha256(join('fedweave/v1/client-id', unhex(identityKey))).subarray(0, 16))).toBe(id)
    }
  })

  test('the generator, shared keys, boxes and seals', () => {
    const { prg: streams, model, sharedKey, box, seal: seals } = committed('primitives')
    for (const { key, words } of streams) expect(prg(unhex(key), words.length)).toEqual(words)
    expect(hex(new Uint8Array(Float32Array.from(model.weights).buffer))).toBe(model.bytes)
    expect(hex(sha256(unhex(model.bytes)))).toBe(model.hash)
    const raw = x25519(unhex(sharedKey.secret), unhex(sharedKey.publicKey))
    expect(hex(raw)).toBe(sharedKey.raw)
    expect(hex(hsalsa20(raw, Buffer.alloc(16)))).toBe(sharedKey.shared)
    const nonce = unhex(box.nonce)
    expect(hex(join(nonce, secretbox(unhex(box.key), nonce, unhex(box.plaintext))))).toBe(box.box)
    for (const { key, plaintextBytes, sealedBytes, sealedHash } of seals) {
      const sealed = seal(
        unhex(key),
        Uint8Array.from({ length: plaintextBytes }, (_, i) => i % 251),
      )
      expect([sealed.length, hex(sha256(sealed))]).toEqual([sealedBytes, sealedHash])
    }
  })

  test('keys, statements and signatures', () => {
    const { operator, enrolment, coordinator, client, certificate, channel, proof, enrol } = committed('identity')
    expect(hex(publicOf('Ed25519', unhex(operator.seed)))).toBe(operator.key)
    expect(hex(publicOf('Ed25519', unhex(enrolment.seed)))).toBe(enrolment.key)
    expect(hex(publicOf('Ed25519', unhex(client.identitySeed)))).toBe(client.identityKey)
    expect(hex(publicOf('X25519', unhex(coordinator.secret)))).toBe(coordinator.key)
    expect(hex(publicOf('X25519', unhex(client.channelSecret)))).toBe(client.channelKey)
    const [identityKey, channelKey, coordinatorKey] = [client.identityKey, client.channelKey, coordinator.key].map(unhex)
    if (!identityKey || !channelKey || !coordinatorKey) throw new Error('keys are missing')
    const expected = [
      [operator.seed, H('fw1/coordinator', coordinatorKey), coordinator],
      [enrolment.seed, H('fw1/certificate', identityKey, certificate.notAfter), certificate],
      [client.identitySeed, H('fw1/channel', channel.task, channelKey, coordinatorKey), channel],
      [client.identitySeed, H('fw1/proof', unhex(proof.nonce), proof.task, channelKey), proof],
      [client.identitySeed, H('fw1/enrol', identityKey), enrol],
    ] as const
    for (const [seed, statement, vector] of expected) {
      expect(hex(statement)).toBe(vector.statement)
      expect(hex(ed25519(unhex(seed), statement))).toBe(vector.signature)
    }
    const { notAfter, signature } = certificate
    const record = encodeBy(layouts(), 'certificate', { identityKey: client.identityKey, notAfter, signature })
    expect(hex(record)).toBe(certificate.encoded)
  })

  test('the context and the three digests', () => {
    const { facts, graph, roster, context, u1, active, u2 } = committed('context')
    const { task, round, modelHash, configHash, headHash, coordinatorKey } = facts
    const rosterHash = H('fw1/roster', unhex(roster.encoded))
    expect(hex(rosterHash)).toBe(roster.hash)
    const hashes = [modelHash, configHash, headHash, coordinatorKey].map(unhex)
    expect(hex(H('fedweave/v1', task, round, rosterHash, ...hashes))).toBe(context)
    expect(hex(H('fw1/u1', unhex(context), unhex(u1.encoded)))).toBe(u1.digest)
    expect(hex(encodeBy(layouts(), 'list(u16, 10000)', active.places))).toBe(active.encoded)
    expect(hex(H('fw1/active', unhex(context), unhex(u1.digest), unhex(active.encoded)))).toBe(active.digest)
    expect(hex(H('fw1/u2', unhex(context), unhex(active.digest), unhex(u2.encoded)))).toBe(u2.digest)
    expect(graph).toEqual({ clients: 6, corrupt: 1, complete: true, holders: 6, threshold: 4, minimumSurvivors: 4 })
  })

  test('every pair key, seal key, MAC and commitment', () => {
    const { context, pair, macs, seal: sealing, commitments } = committed('keys')
    const salt = unhex(context)
    const shared = hsalsa20(x25519(unhex(pair.secret), unhex(pair.publicKey)), Buffer.alloc(16))
    expect(hex(shared)).toBe(pair.shared)
    const keyOf = (purpose: string, from: string, to: string) =>
      HKDF(shared, salt, join(`fw1/${purpose}`, unhex(from), unhex(to)))
    expect(pair.keys.map(({ purpose, from, to }) => hex(keyOf(purpose, from, to)))).toEqual(pair.keys.map(({ key }) => key))
    for (const { purpose, from, to, fields, mac } of macs) {
      const statement = purpose === 'abort' ? ['aborted, nothing released, shares deleted'] : []
      expect(hex(MAC(keyOf(purpose, from, to), ...fields.map(unhex), ...statement))).toBe(mac)
    }
    const sealShared = hsalsa20(x25519(unhex(pair.secret), unhex(sealing.publicKey)), Buffer.alloc(16))
    for (const purpose of ['upload', 'unmask'] as const) {
      expect(hex(HKDF(sealShared, salt, join(`fw1/${purpose}`, unhex(sealing.client))))).toBe(sealing[purpose])
    }
    const { dealer, holder, maskKeyShare, selfSeedShare, selfSeed } = commitments
    expect(hex(H('fw1/share', salt, dealer, holder, 'mask-key', unhex(maskKeyShare)))).toBe(commitments.commitments.maskKeyShare)
    expect(hex(H('fw1/share', salt, dealer, holder, 'self-seed', unhex(selfSeedShare)))).toBe(
      commitments.commitments.selfSeedShare,
    )
    expect(hex(H('fw1/seed', salt, dealer, unhex(selfSeed)))).toBe(commitments.selfSeedCommitment)
  })

  test('self and pair masks, and the first words of their streams', () => {
    const { context, activeDigest, self, pairs } = committed('masks')
    const salt = join(unhex(context), unhex(activeDigest))
    for (const segment of ['update', 'counters'] as const) {
      const { key, words } = self[segment]
      expect(hex(HKDF(unhex(self.seed), salt, join('fw1/self', unhex(self.id), segment)))).toBe(key)
      expect(prg(unhex(key), words.length)).toEqual(words)
    }
    for (const pair of pairs) {
      const { mine, theirs, secret, publicKey, sign } = pair
      expect(sign).toBe(mine < theirs ? 1 : -1)
      const raw = x25519(unhex(secret), unhex(publicKey))
      expect(hex(raw)).toBe(pair.raw)
      const keys = [publicOf('X25519', unhex(secret)), unhex(publicKey)]
      const [lo, hi] = sign === 1 ? keys : keys.reverse()
      for (const segment of ['update', 'counters'] as const) {
        const { key, words } = pair[segment]
        expect(hex(HKDF(raw, salt, join('fw1/pair', lo as Buffer, hi as Buffer, segment)))).toBe(key)
        expect(prg(unhex(key), words.length)).toEqual(words)
      }
    }
    expect(pairs[0]?.update.key).toBe(pairs[1]?.update.key)
  })

  test('the parameters of sparse graphs, in exact fractions', () => {
    for (const { clients, corrupt, dropped, k, t, corruptHolders } of committed('sparse').parameters) {
      expect(kOut(clients, corrupt, dropped)).toEqual({ k, t, m: corruptHolders })
    }
  })

  test('holders, neighbours, shares and masks of a sparse graph', () => {
    const { context, graph, members, u1, active, neighbours, shares, masks } = committed('sparse')
    expect(hex(encodeBy(layouts(), 'list(member, 10000)', members))).toBe(u1.encoded)
    expect(hex(H('fw1/u1', unhex(context), unhex(u1.encoded)))).toBe(u1.digest)
    const encoded = encodeBy(layouts(), 'list(u16, 10000)', active.places)
    expect(hex(H('fw1/active', unhex(context), unhex(u1.digest), encoded))).toBe(active.digest)
    expect(members.map(({ holders }) => holders.length)).toEqual(members.map(() => graph.holders))
    const chose = (a: number, b: number) => members[a]?.holders.includes(b)
    const paired = active.places.map((a) => ({
      id: members[a]?.id,
      neighbours: active.places.filter((b) => a !== b && (chose(a, b) || chose(b, a))).map((b) => members[b]?.id),
    }))
    expect(neighbours).toEqual(paired)
    expect(shares.holders.map(({ id, x }) => [id, x])).toEqual(members[0]?.holders.map((at, i) => [members[at]?.id, i + 1]))
    for (const { x, share } of shares.holders) {
      expect(hex(shareAt(unhex(shares.secret), unhex(shares.coefficients), x))).toBe(share)
    }
    const { maskSecrets } = committed('shamir')
    const keyOf = (id: string) => members.find((member) => member.id === id)?.maskKey ?? ''
    const secret = unhex(maskSecrets.find(({ client }) => client === masks.client)?.secret ?? '')
    const salt = join(unhex(context), unhex(active.digest))
    expect(masks.pairs.map(({ peer }) => peer)).toEqual(neighbours.find(({ id }) => id === masks.client)?.neighbours)
    for (const segment of ['update', 'counters'] as const) {
      expect(hex(HKDF(unhex(shares.secret), salt, join('fw1/self', unhex(masks.client), segment)))).toBe(masks.self[segment])
      for (const { peer, sign, keys } of masks.pairs) {
        expect(sign).toBe(masks.client < peer ? 1 : -1)
        const publicKeys = [masks.client, peer].sort().map((id) => unhex(keyOf(id)))
        const raw = x25519(secret, unhex(keyOf(peer)))
        expect(hex(HKDF(raw, salt, join('fw1/pair', ...publicKeys, segment)))).toBe(keys[segment])
      }
    }
  })

  test('rotations, there and back, and the bound of what they give', () => {
    const { context, seed, bounds, rotations } = committed('rotation')
    expect(hex(H('fw1/rotation', unhex(context)))).toBe(seed)
    for (const { size, norm, bound } of bounds) {
      const tile = 4 ** Math.floor(Math.log2(Math.min(size, 4096)) / 2)
      expect(Math.min(norm, norm * (8 / Math.sqrt(tile)))).toBe(bound)
    }
    for (const { delta, rotated, restored } of rotations) {
      expect(rotate(delta, unhex(seed), false)).toEqual(rotated)
      expect(rotate(rotated, unhex(seed), true)).toEqual(restored)
    }
  })

  test('packing, shares, quantising and counting', () => {
    for (const { bits, words, packed } of committed('ring')) expect(hex(pack(words, bits))).toBe(packed)
    const shamir = committed('shamir')
    for (const { secret, coefficients, shares } of [...shamir.maskSecrets, ...shamir.selfSeeds]) {
      expect(shares.map((_, i) => hex(shareAt(unhex(secret), unhex(coefficients), i + 1)))).toEqual(shares)
    }
    for (const { points, factors } of shamir.lagrange) expect(hex(Uint8Array.from(lagrange(points)))).toBe(factors)
    for (const { options, ringBits: bits, weight, delta, random, words, decoded } of committed('quantiser')) {
      expect(ringBits(options.valueBits, options.totalWeight)).toBe(bits)
      expect(quantise(delta, random, { ...options, weight })).toEqual(words)
      const step = options.clipBound / (2 ** (options.valueBits - 1) - 1)
      const wrapped = words.map((word) => word % 2 ** bits)
      const signed = wrapped.map((word) => (word >= 2 ** (bits - 1) ? word - 2 ** bits : word))
      expect(signed.map((word) => Math.fround(word * (step / weight)) + 0)).toEqual(decoded)
    }
    for (const { totalWeight, counters: report, words } of committed('counters'))
      expect(counters(totalWeight, report)).toEqual(words)
  })

  test('each update from its delta to its sealed bytes, and the mean of all', () => {
    const { config, updates, aggregate } = committed('update')
    const { clipBound, valueBits } = config.secureAggregation
    const { masks } = maskStreams()
    const bits = ringBits(valueBits, 6)
    const sums = Array.from({ length: 7 }, () => 0)
    for (const { client, trained, rounding, words, counters: counted, masked, key, sealed } of updates) {
      const norm = Math.hypot(...trained.delta)
      const clipped = norm > clipBound
      const delta = clipped ? trained.delta.map((d) => Math.fround(d * ((clipBound / norm) * (1 - 2 ** -23)))) : trained.delta
      expect(quantise(delta, prg(unhex(rounding), delta.length), { clipBound, valueBits, weight: 1 })).toEqual(words)
      expect(counters(6, { weight: 1, loss: trained.loss, accuracy: trained.accuracy, clipped })).toEqual(counted)
      const under = (plain: readonly number[], segment: 'update' | 'counters') =>
        plain.map((word, i) =>
          masks(client, segment, plain.length).reduce((sum, mask) => (sum + (mask[i] as number)) >>> 0, word),
        )
      const little = Buffer.from(Uint32Array.from(under(counted, 'counters')).buffer)
      expect(hex(join(pack(under(words, 'update'), bits), little))).toBe(masked)
      expect(hex(seal(unhex(key), unhex(masked)))).toBe(sealed)
      for (const [i, word] of words.entries()) sums[i] = (sums[i] as number) + (word | 0)
    }
    const step = clipBound / 127
    expect(sums.map((sum) => Math.fround(sum * (step / 4)) + 0)).toEqual(aggregate.pseudoGradient)
  })
})

/** The streams that a client of the vectors' round adds to its update, signs applied, from the secrets in `shamir.json`. */
function maskStreams() {
  const { context, active, roster } = committed('context')
  const { maskSecrets, selfSeeds } = committed('shamir')
  const salt = join(unhex(context), unhex(active.digest))
  const secretOf = (of: typeof maskSecrets, id: string) => unhex(of.find(({ client }) => client === id)?.secret ?? '')
  return {
    masks(client: string, segment: string, length: number): number[][] {
      const own = HKDF(secretOf(selfSeeds, client), salt, join('fw1/self', unhex(client), segment))
      const others = active.places.map((place) => roster.ids[place] as string).filter((id) => id !== client)
      return [
        prg(own, length),
        ...others.map((id) => {
          const keys = [client, id].sort().map((each) => publicOf('X25519', secretOf(maskSecrets, each)))
          const raw = x25519(secretOf(maskSecrets, client), publicOf('X25519', secretOf(maskSecrets, id)))
          const stream = prg(HKDF(raw, salt, join('fw1/pair', ...keys, segment)), length)
          return client < id ? stream : stream.map((word) => -word >>> 0)
        }),
      ]
    },
  }
}

describe('the machines send and take what the vectors hold', () => {
  test('a client that draws the same secrets sends the same messages and the same upload', () => {
    const { sent, sealed, phase } = replay()
    const expected = committed('messages').clientToServer.filter(({ type }) => sent.some((message) => message.type === type))
    expect(sent.map(({ type }) => type)).toEqual(['ready', 'setup', 'ack', 'confirm', 'unmask'])
    expect(sent.map(({ bytes }) => bytes)).toEqual(expected.map(({ bytes }) => bytes))
    expect(sealed).toBe(committed('update').updates[0]?.sealed)
    expect(phase).toBe('completed')
  })
})
