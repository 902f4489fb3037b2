import type { IncomingMessage } from 'node:http'
import { isIPv6 } from 'node:net'
import proxyAddr from '@fastify/proxy-addr'
import { FedweaveError } from '@fedweave/aggregator'

export type TrustProxy = (address: string, hop: number) => boolean

/** Which proxies' `X-Forwarded-For` is believed: addresses, networks, `loopback`. Throws `FL_CONFIG_INVALID`. */
export function trustedProxies(proxies: readonly string[]): TrustProxy {
  try {
    return proxyAddr.compile([...proxies])
  } catch (cause) {
    throw new FedweaveError('FL_CONFIG_INVALID', `trustProxy: ${(cause as Error).message}`, {
      cause,
      cure: 'Name addresses or networks, such as 127.0.0.1 or 10.0.0.0/8.',
    })
  }
}

/** What limits on an address count by: IPv4 as it is, of IPv6 the /64 network, of which one machine may have every address. */
export function addressOf(request: IncomingMessage, trust: TrustProxy): string {
  const address = proxyAddr(request, trust) ?? ''
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1]
  if (mapped !== undefined) return mapped
  if (!isIPv6(address)) return address
  const [head = '', tail = ''] = address.split('%', 1)[0]?.split('::') ?? []
  const left = head === '' ? [] : head.split(':')
  const right = tail === '' ? [] : tail.split(':')
  const zeros = address.includes('::') ? Array<string>(Math.max(0, 8 - left.length - right.length)).fill('0') : []
  return [...left, ...zeros, ...right]
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')
}
