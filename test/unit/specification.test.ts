import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { clientAccepts, coordinatorAccepts } from '@fedweave/aggregator'
import { describe, expect, test } from 'vitest'
import { committed } from '../vectors/build.ts'
import { H, hex, join, unhex } from '../vectors/reference/bytes.ts'
import { ed25519, holds } from '../vectors/reference/curves.ts'
import { seal } from '../vectors/reference/salsa.ts'
import { encodeBy, layouts, SPECIFICATION, tableOf } from '../vectors/reference/specification.ts'

describe('the tables of the specification describe the bytes', () => {
  const all = layouts()

  test('every message, by its tag and fields', () => {
    const { clientToServer, serverToClient } = committed('messages')
    const described = [...all].filter(([, { tag }]) => tag !== undefined).map(([name]) => name)
    const messages = [...clientToServer, ...serverToClient]
    expect(messages.map(({ type }) => type)).toEqual(described)
    for (const { type, fields, bytes } of messages) {
      expect(Object.keys(fields)).toEqual(all.get(type)?.fields.map(([name]) => name))
      expect(hex(join(Buffer.of(all.get(type)?.tag as number), encodeBy(all, type, fields)))).toBe(bytes)
    }
  })

  test('the signed config, both journal entries and the unmask answer', () => {
    const { pins, config, entries, report } = committed('journal')
    const json = Buffer.from(config.json)
    expect(hex(H('fw1/config', json))).toBe(config.hash)
    const { seed } = committed('identity').operator
    const signedBy = (label: string, bytes: Uint8Array) => hex(ed25519(unhex(seed), H(label, bytes)))
    const signedConfig = { json: hex(json), signature: signedBy('fw1/config', json) }
    expect(hex(encodeBy(all, 'signedConfig', signedConfig))).toBe(config.signed)
    for (const { fields, hash, signed } of entries) {
      const body = encodeBy(all, 'journalBody', fields)
      expect(hex(H('fw1/entry', body))).toBe(hash)
      expect(holds(unhex(pins.operatorKey), unhex(hash), unhex(signed).subarray(-64))).toBe(true)
      expect(hex(encodeBy(all, 'signedEntry', { body: hex(body), signature: signedBy('fw1/entry', body) }))).toBe(signed)
    }
    expect(report).toEqual({ rounds: 1, transcripts: 4, problems: [] })
    const answer = committed('unmask')
    expect(hex(encodeBy(all, 'unmaskShares', answer.fields))).toBe(answer.plain)
    expect(hex(seal(unhex(answer.key), unhex(answer.plain)))).toBe(answer.sealed)
  })

  test('both machines take in each phase exactly what it lists', () => {
    expect(tableOf('client phase')).toEqual(clientAccepts)
    expect(tableOf('coordinator phase')).toEqual(coordinatorAccepts)
  })

  test('every label that the sources hash or derive with is in it', () => {
    const labels = new Set<string>()
    for (const root of ['aggregator', 'client-sdk', 'server']) {
      const folder = new URL(`../../${root}/src/`, import.meta.url)
      for (const file of readdirSync(folder, { recursive: true }) as string[]) {
        if (!file.endsWith('.ts')) continue
        const source = readFileSync(new URL(file, folder), 'utf8')
        for (const [, label] of source.matchAll(/'(f(?:w1|edweave\/v1)\/[a-z0-9-]+)'/g)) labels.add(label as string)
      }
    }
    expect(labels.size).toBeGreaterThan(10)
    for (const label of labels) expect(SPECIFICATION).toContain(`"${label}"`)
  })
})

test('every file that the threat model names is there', () => {
  const root = new URL('../../', import.meta.url)
  const model = readFileSync(new URL('docs/threat-model.md', root), 'utf8')
  const named = [...model.matchAll(/`([\w./-]+(?:\.ts|\/))`/g)].map(([, path]) => path as string)
  const places = ['', 'aggregator/src/', 'test/unit/aggregator/', 'test/attacks/']
  expect(named.length).toBeGreaterThan(30)
  expect(named.filter((path) => !places.some((place) => existsSync(new URL(place + path, root))))).toEqual([])
})
