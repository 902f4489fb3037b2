import { certificate, encode, fromHex } from '@fedweave/aggregator'
import type { Peer } from './coordinator/peer.ts'
import { Hub, type HubOptions } from './hub.ts'
import { notHere } from './routes/enrolment.ts'

/** A whole server without a network: what `memoryTransport` of the client SDK connects to. */
export interface InProcessServer {
  readonly hub: Hub
  connect(peer: Peer): { receive(raw: Uint8Array): void; closed(): void }
  model(task: string, hash: string): Promise<Uint8Array>
  upload(upload: {
    readonly task: string
    readonly context: string
    readonly session: string
    readonly sealed: Uint8Array
  }): Promise<void>
  enrol(request: { readonly identityKey: string; readonly proof: string; readonly token?: string }): Promise<Uint8Array>
  close(): Promise<void>
}

export async function inProcessServer(options: HubOptions): Promise<InProcessServer> {
  const hub = await Hub.open(options)
  return {
    hub,
    connect: (peer) => hub.connect(peer),
    model: async (task, hash) => hub.model(hub.task(task), hash),
    async upload({ task: id, context: hex, session, sealed }) {
      const task = hub.task(id)
      const { member, context } = hub.uploader(task, session, hex)
      await task.upload(member, context, new Uint8Array(sealed), sealed.length)
    },
    async enrol({ identityKey, proof, token }) {
      const { desk, url } = hub.enrolment
      if (desk === undefined) throw notHere(url)
      return encode(certificate, await desk.enrol({ identityKey: fromHex(identityKey, 32), proof: fromHex(proof, 64), token }))
    },
    close: () => hub.close(),
  }
}
