import type { IncomingMessage } from 'node:http'
import { describe, expect, test } from 'vitest'
import { checkOrigin } from '../../../server/src/access/origins.ts'
import { addressOf, trustedProxies } from '../../../server/src/limits/address.ts'
import { Buckets } from '../../../server/src/limits/buckets.ts'
import { RoundSlots } from '../../../server/src/limits/round-slots.ts'

describe('buckets', () => {
  test('a key has ten seconds of its rate at once, and then its rate', () => {
    const buckets = new Buckets(2)
    const taken = (now: number, tries: number) =>
      Array.from({ length: tries }, () => buckets.take('a', now)).filter(Boolean).length
    expect(taken(0, 100)).toBe(20)
    expect(taken(499, 10)).toBe(0)
    expect(taken(500, 10)).toBe(1)
    expect(taken(1_000_000, 100)).toBe(20)
    expect(buckets.take('b', 0)).toBe(true)
  })

  test('a million addresses are not remembered', () => {
    const buckets = new Buckets(1)
    for (let i = 0; i < 1_000_000; i++) {
      buckets.take(String(i), i)
      if (buckets.size > 100_000) throw new Error(`${buckets.size} after ${i}`)
    }
    const spent = new Buckets(0.1)
    spent.take('busy', 0)
    for (let i = 0; i < 1_000_000; i++) {
      spent.take(String(i), 0)
      if (i % 10_000 === 0 && spent.take('busy', 0)) throw new Error(`a busy key was forgotten after ${i}`)
    }
  })
})

describe('addresses', () => {
  const from = (remoteAddress: string, forwarded?: string, proxies: readonly string[] = []) =>
    addressOf(
      {
        socket: { remoteAddress },
        headers: forwarded === undefined ? {} : { 'x-forwarded-for': forwarded },
      } as never as IncomingMessage,
      trustedProxies(proxies),
    )

  test('a forwarded address counts only from a trusted proxy, and only the last one that such a proxy saw', () => {
    expect(from('10.0.0.1', '1.2.3.4')).toBe('10.0.0.1')
    expect(from('10.0.0.1', '1.2.3.4', ['10.0.0.0/8'])).toBe('1.2.3.4')
    expect(from('10.0.0.1', '9.9.9.9, 1.2.3.4', ['10.0.0.0/8'])).toBe('1.2.3.4')
    expect(from('11.0.0.1', '1.2.3.4', ['10.0.0.0/8'])).toBe('11.0.0.1')
  })

  test('IPv6 counts by its /64 network, however it is written; an IPv4 address in it as itself', () => {
    const network = from('2001:db8:1:2::5')
    for (const same of ['2001:db8:1:2:ffff::1', '2001:0db8:0001:0002:0:0:0:9']) expect(from(same)).toBe(network)
    expect(from('2001:db8:1:3::5')).not.toBe(network)
    expect(from('::1')).toBe('0:0:0:0')
    expect(from('fe80::1%eth0')).toBe('fe80:0:0:0')
    expect(from('::ffff:192.0.2.7')).toBe('192.0.2.7')
  })

  test('a proxy that is no address is a config error', () => {
    expect(() => trustedProxies(['nonsense'])).toThrow(expect.objectContaining({ code: 'FL_CONFIG_INVALID' }))
  })
})

test('pages of the own origin and of listed ones may come, of others not, and programs always', () => {
  const allowed = (origin: string | undefined, listed: readonly string[] = []) => {
    try {
      checkOrigin({ host: 'fl.example.org', ...(origin === undefined ? {} : { origin }) }, listed)
      return true
    } catch (error) {
      expect(error).toMatchObject({ code: 'FL_ORIGIN_REFUSED' })
      return false
    }
  }
  const app = 'https://app.example.org'
  expect([allowed(undefined), allowed('https://fl.example.org'), allowed(app, [app]), allowed(app, ['*'])]).toEqual([
    true,
    true,
    true,
    true,
  ])
  for (const origin of [app, 'null', '', 'https://fl.example.org.evil.org', 'https://fl.example.org:8443', `${app}.evil.org`])
    expect(allowed(origin, [`${app}:1`])).toBe(false)
})

test('a task that found no free round is told once when one is', () => {
  const slots = new RoundSlots(1)
  const told: string[] = []
  expect(slots.free(() => told.push('never'))).toBe(true)
  slots.take()
  const retry = () => told.push('a')
  expect([slots.free(retry), slots.free(retry)]).toEqual([false, false])
  slots.release()
  slots.take()
  slots.release()
  expect(told).toEqual(['a'])
})
