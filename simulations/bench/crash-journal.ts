import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { type ClientId, FedweaveError, type JournalEntry, openEntry, signEntry } from '@fedweave/aggregator'
import { loadOrCreateKey, nodeCurves } from '@fedweave/aggregator/node'
import { openFileStore, type Store } from '@fedweave/server'

const CLIENTS = 10

/** Appends rounds of ten clients to a journal that a server has begun, as many bytes as real ones, signed and chained. */
export async function fillJournal(data: string, task: string, rounds: number): Promise<void> {
  const { seed } = await loadOrCreateKey(join(data, 'operator.key'), {
    create: () => {
      throw new FedweaveError('FL_KEYSTORE', 'no server has begun this journal')
    },
  })
  const store = await openFileStore(join(data, 'tasks', task))
  const operatorKey = nodeCurves.ed25519Public(seed)
  let head = await lastEntry(store, operatorKey)
  const clients = Array.from({ length: CLIENTS }, () => {
    const id = randomBytes(16).toString('hex') as ClientId
    const bytes = (length: number) => new Uint8Array(randomBytes(length))
    const certificate = { identityKey: bytes(32), notAfter: 4_000_000_000, signature: bytes(64) }
    const entry = { certificate, channelKey: bytes(32), channelSignature: bytes(64), nonce: bytes(16) }
    return { id, entry, member: { id, maskKey: bytes(32), holders: [] }, transcript: { id, signature: bytes(64) } }
  }).sort((a, b) => (a.id < b.id ? -1 : 1))
  const cohort = {
    roster: clients.map(({ entry }) => entry),
    members: clients.map(({ member }) => member),
    active: clients.map((_, place) => place),
    survivors: clients.map(({ id }) => id),
    transcripts: clients.map(({ transcript }) => transcript),
  }
  for (let i = head.index + 1; i <= rounds; i++) {
    const { hash: previous, ...before } = head
    const training = { loss: 1, accuracy: 0.5, clippedFraction: 0 }
    const body = {
      ...before,
      index: i,
      round: i,
      previous,
      modelBefore: head.modelAfter,
      aggregates: [new Uint8Array(randomBytes(32))],
      cohorts: [cohort],
      weight: CLIENTS,
      training,
    }
    const signed = signEntry(nodeCurves, seed, body)
    await store.append(signed)
    head = openEntry(nodeCurves, operatorKey, signed)
  }
  await store.close()
}

async function lastEntry(store: Store, operatorKey: Uint8Array): Promise<JournalEntry> {
  let last = new Uint8Array()
  for await (const { bytes } of store.records()) last = bytes.slice()
  return openEntry(nodeCurves, operatorKey, last)
}
