import { certify, encode, joinToken, signJoinToken, toHex } from '@fedweave/aggregator'
import { nodeCurves } from '@fedweave/aggregator/node'
import { seededEntropy } from '@fedweave/aggregator/testing'
import { expect, test } from 'vitest'
import { JoinGate } from '../../../server/src/access/join-gate.ts'

const seed = (name: string) => seededEntropy(`join/${name}`).bytes(32)
const enrolmentKey = nodeCurves.ed25519Public(seed('enrolment'))
const NOW = 1_800_000_000_000

function token(name: string, at = NOW, { by = name, enrolment = 'enrolment', notAfter = 1_900_000_000 } = {}): string {
  const certificate = certify(nodeCurves, seed(enrolment), nodeCurves.ed25519Public(seed(name)), notAfter)
  return toHex(encode(joinToken, signJoinToken(nodeCurves, seed(by), certificate, at)))
}

function outcome(gate: JoinGate, raw: string | undefined, now = NOW): string {
  try {
    gate.admit(raw, now)
    return 'admitted'
  } catch (error) {
    return (error as { code: string }).code
  }
}

test('a fresh token of a certified identity is admitted once', () => {
  const gate = new JoinGate(nodeCurves, enrolmentKey)
  const first = token('a')
  expect(outcome(gate, first)).toBe('admitted')
  expect(outcome(gate, first)).toBe('FL_IDENTITY_PROOF')
  expect(outcome(gate, token('a', NOW - 1))).toBe('FL_IDENTITY_PROOF')
  expect(outcome(gate, token('a', NOW + 1))).toBe('admitted')
  expect(outcome(gate, token('b'))).toBe('admitted')
})

test('no, a malformed, an expired, a forged and a foreign token are refused', () => {
  const gate = new JoinGate(nodeCurves, enrolmentKey)
  const good = token('a')
  for (const raw of [undefined, '', 'x', '00', good.slice(2), `${good}00`, '0'.repeat(1_000_000)])
    expect(outcome(gate, raw)).toBe('FL_IDENTITY_PROOF')
  expect(outcome(gate, token('a', NOW, { by: 'b' }))).toBe('FL_IDENTITY_PROOF')
  expect(outcome(gate, token('a', NOW, { notAfter: NOW / 1000 }))).toBe('FL_CERTIFICATE_INVALID')
  expect(outcome(gate, token('a', NOW, { enrolment: 'other' }))).toBe('FL_CERTIFICATE_INVALID')
  expect(outcome(gate, good)).toBe('admitted')
})

test('the clocks may differ by five minutes either way and no more', () => {
  const five = 300_000
  for (const at of [NOW - five, NOW + five])
    expect(outcome(new JoinGate(nodeCurves, enrolmentKey), token('a', at))).toBe('admitted')
  for (const at of [NOW - five - 1, NOW + five + 1])
    expect(outcome(new JoinGate(nodeCurves, enrolmentKey), token('a', at))).toBe('FL_IDENTITY_PROOF')
})

test('a token refused for its signature does not shut out the identity that it names', () => {
  const gate = new JoinGate(nodeCurves, enrolmentKey)
  expect(outcome(gate, token('a', NOW + 1000, { by: 'mallory' }))).toBe('FL_IDENTITY_PROOF')
  expect(outcome(gate, token('a'))).toBe('admitted')
})
