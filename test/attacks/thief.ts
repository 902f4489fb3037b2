import {
  type ClientId,
  type ClientMessage,
  combineShares,
  decode,
  lagrangeAtZero,
  noblePrg,
  openBox,
  openSeal,
  pairKey,
  type ServerMessage,
  sealKey,
  sharedKey,
  toHex,
  type UpdateSum,
} from '@fedweave/aggregator'
import type { Envelope, HarnessClient, RoundHarness, Upload } from '@fedweave/aggregator/testing'
import type { ClientRound } from '../../aggregator/src/secagg/client-state.ts'
import { activeDigest, membersDigest } from '../../aggregator/src/secagg/context.ts'
import { isFault } from '../../aggregator/src/secagg/fault.ts'
import { neighboursOf, placeOf } from '../../aggregator/src/secagg/graph.ts'
import { pairMask, type SignedMask, selfMask } from '../../aggregator/src/secagg/masks.ts'
import { seedCommitment } from '../../aggregator/src/secagg/shares.ts'
import { unmaskShares } from '../../aggregator/src/wire/messages.ts'
import { shareBox } from '../../aggregator/src/wire/records.ts'
import { memoCurves } from '../unit/aggregator/cohort.ts'

type Kind = 'maskKey' | 'selfSeed'
type Message<T extends string> = Extract<ClientMessage | Upload, { type: T }>

/**
 * The server that keeps everything: each message that a client ever sent, also those that its coordinator never saw, what
 * its accomplices know, and mask secrets that it made up itself. It tries every way to a client's plain delta.
 */
export class Thief {
  readonly #harness: RoundHarness
  readonly #accomplices: readonly HarnessClient[]
  readonly #sent: { readonly client: ClientId; readonly message: ClientMessage | Upload }[] = []
  readonly #told: { readonly client: ClientId; readonly message: ServerMessage }[] = []
  /** What each client took the round for, by context and id. */
  readonly #facts = new Map<string, ClientRound>()
  /** Mask secrets, by their public keys. */
  readonly #secrets = new Map<string, Uint8Array>()

  /** Comes before whatever else listens on the network, and so hears what is delivered in the end. */
  constructor(harness: RoundHarness, accomplices: readonly HarnessClient[] = []) {
    this.#harness = harness
    this.#accomplices = accomplices
    const { network } = harness
    harness.network = (envelope) => {
      if (envelope.to === 'client') this.#told.push(envelope)
      return network(envelope)
    }
    const post = harness.post.bind(harness)
    harness.post = (envelope) => {
      if (envelope.to === 'server') this.#hear(envelope)
      post(envelope)
    }
  }

  /** A mask key whose secret the server knows. */
  ownKey(seed: number): Uint8Array {
    const secret = new Uint8Array(32).fill(seed)
    return this.know(secret)
  }

  /** Adds a mask secret; gives back its public key. */
  know(secret: Uint8Array): Uint8Array {
    const key = memoCurves.x25519Public(secret)
    this.#secrets.set(toHex(key), secret.slice())
    return key
  }

  /** The victim's plain delta in its last upload; `undefined`: one of its masks is not known. */
  steal(victim: HarnessClient): number[] | undefined {
    const upload = this.#last(victim.id, 'upload')
    const masks = upload && this.#masksOn(victim.id, upload.context)
    if (upload === undefined || masks === undefined) return undefined
    const sum = this.#open([victim.id], upload.context)
    sum.unmask(masks)
    return [...sum.decode(1, upload.context).pseudoGradient]
  }

  /** The plain sum of what these clients last uploaded; `undefined`: one of their self masks is not known. */
  sum(clients: readonly HarnessClient[]): number[] | undefined {
    const context = this.#last(clients[0]?.id as ClientId, 'upload')?.context
    if (context === undefined) return undefined
    const masks = clients.map(({ id }) => this.#selfMaskOf(id, context))
    if (masks.includes(undefined)) return undefined
    const sum = this.#open(
      clients.map(({ id }) => id),
      context,
    )
    sum.unmask(masks as SignedMask[])
    const { pseudoGradient, weight } = sum.decode(clients.length, context)
    return [...pseudoGradient].map((mean) => Math.round(mean * weight))
  }

  #hear({ client: id, message }: Extract<Envelope, { to: 'server' }>): void {
    this.#sent.push({ client: id, message })
    const { state } = this.#harness.client(id)
    if (message.type !== 'setup' || state.phase !== 'setup') return
    this.#facts.set(toHex(message.context) + id, state.facts)
    if (this.#accomplices.some((one) => one.id === id)) this.know(state.secrets.maskSecret)
  }

  #of<T extends string>(client: ClientId, type: T): Message<T>[] {
    return this.#sent
      .filter((sent) => sent.client === client && sent.message.type === type)
      .map(({ message }) => message as Message<T>)
  }

  #last<T extends string>(client: ClientId, type: T): Message<T> | undefined {
    return this.#of(client, type).at(-1)
  }

  #setupOf(client: ClientId, context: Uint8Array): Message<'setup'> | undefined {
    return this.#of(client, 'setup').find((setup) => toHex(setup.context) === toHex(context))
  }

  #open(clients: readonly ClientId[], context: Uint8Array): UpdateSum {
    const { format } = this.#harness
    const sum = format.sum(noblePrg)
    for (const id of clients) {
      const upload = this.#of(id, 'upload').find((one) => toHex(one.context) === toHex(context))
      const plain = upload && openSeal(this.#sealKey(id, context, 'upload'), upload.sealed, format.plainBytes)
      const parsed = plain && format.parse(plain)
      if (parsed === undefined || isFault(parsed)) throw new Error('a client sealed its update to the coordinator')
      sum.add(parsed)
    }
    return sum
  }

  #sealKey(client: ClientId, context: Uint8Array, purpose: 'upload' | 'unmask'): Uint8Array {
    const { channelKey } = this.#harness.client(client).entry
    const shared = sharedKey(memoCurves, this.#harness.server.coordinatorSecret, channelKey) as Uint8Array
    return sealKey(shared, context, purpose, client)
  }

  /** Every mask on the victim's update, as it was told U1 and its active part. */
  #masksOn(victim: ClientId, context: Uint8Array): SignedMask[] | undefined {
    const facts = this.#facts.get(toHex(context) + victim)
    const told = this.#viewOf(victim, context)
    const self = this.#selfMaskOf(victim, context)
    if (facts === undefined || told === undefined || self === undefined) return undefined
    const { members, active, digest } = told
    const present = members.filter(({ id }) => active.includes(placeOf(facts.places, id)))
    const mine = present.find(({ id }) => id === victim)
    if (mine === undefined) return undefined
    const masks = [self]
    for (const peer of neighboursOf(facts.graph, mine, present, facts.places)) {
      const own = this.#maskSecretOf(victim, mine.maskKey, context)
      const theirs = this.#maskSecretOf(peer.id, peer.maskKey, context)
      if (own !== undefined) masks.push(pairMask(memoCurves, own, mine, peer, context, digest) as SignedMask)
      else if (theirs !== undefined) {
        const { keys, sign } = pairMask(memoCurves, theirs, peer, mine, context, digest) as SignedMask
        masks.push({ keys, sign: sign === 1 ? -1 : 1 })
      } else return undefined
    }
    return masks
  }

  #viewOf(client: ClientId, context: Uint8Array) {
    const heard = this.#told.filter((told) => told.client === client).map(({ message }) => message)
    const relay = heard.findLast((message) => message.type === 'relay')
    const acks = heard.findLast((message) => message.type === 'acks')
    if (relay?.type !== 'relay' || acks?.type !== 'acks') return undefined
    const { members } = relay
    const { active } = acks
    return { members, active, digest: activeDigest(context, membersDigest(context, members), active) }
  }

  #selfMaskOf(client: ClientId, context: Uint8Array): SignedMask | undefined {
    const told = this.#viewOf(client, context)
    const seed = this.#rebuilt(client, context, 'selfSeed')
    if (told === undefined || seed === undefined) return undefined
    const commitment = this.#setupOf(client, context)?.selfSeedCommitment as Uint8Array
    if (toHex(seedCommitment(context, client, seed)) !== toHex(commitment)) return undefined
    return { sign: 1, keys: selfMask(seed, context, told.digest, client) }
  }

  #maskSecretOf(client: ClientId, maskKey: Uint8Array, context: Uint8Array): Uint8Array | undefined {
    const known = this.#secrets.get(toHex(maskKey))
    const secret = known ?? this.#rebuilt(client, context, 'maskKey')
    return secret !== undefined && toHex(memoCurves.x25519Public(secret)) === toHex(maskKey) ? secret : undefined
  }

  /** The secret that all known shares give: the dealer's only if they are enough. */
  #rebuilt(owner: ClientId, context: Uint8Array, kind: Kind): Uint8Array | undefined {
    const setup = this.#setupOf(owner, context)
    const shares = (setup?.shares ?? []).flatMap(({ peer, box }, i) => {
      const bytes = this.#answered(peer, context, kind, owner) ?? this.#unboxed(owner, peer, box, context, kind)
      return bytes === undefined ? [] : [{ x: i + 1, bytes }]
    })
    return shares.length === 0 ? undefined : combineShares(shares, lagrangeAtZero(shares.map(({ x }) => x)))
  }

  #answered(holder: ClientId, context: Uint8Array, kind: Kind, owner: ClientId): Uint8Array | undefined {
    for (const { context: of, sealed } of this.#of(holder, 'unmask')) {
      if (toHex(of) !== toHex(context)) continue
      const plain = openSeal(this.#sealKey(holder, context, 'unmask'), sealed, sealed.length - 16) as Uint8Array
      const found = decode(unmaskShares, plain)[kind].find((share) => share.owner === owner)
      if (found !== undefined) return found.share
    }
    return undefined
  }

  /** Accomplices open the boxes that were dealt to them. */
  #unboxed(dealer: ClientId, holder: ClientId, box: Uint8Array, context: Uint8Array, kind: Kind): Uint8Array | undefined {
    const accomplice = this.#accomplices.find(({ id }) => id === holder)
    if (accomplice === undefined || box.length === 0) return undefined
    const shared = sharedKey(
      memoCurves,
      accomplice.env.channelSecret,
      this.#harness.client(dealer).entry.channelKey,
    ) as Uint8Array
    const plain = openBox(pairKey(shared, context, 'box', dealer, holder), box)
    if (plain === undefined) return undefined
    const { maskKeyShare, selfSeedShare } = decode(shareBox, plain)
    return kind === 'maskKey' ? maskKeyShare : selfSeedShare
  }
}
