import { verifyJournal } from '@fedweave/aggregator'
import { openEntry } from '../../aggregator/src/secagg/journal.ts'
import { hexed } from './hex.ts'
import { answerOf, entryBody, signedResult } from './round.ts'
import {
  clients,
  config,
  configHash,
  curves,
  enrolmentKey,
  genesis,
  known,
  operatorKey,
  signedConfig,
  signedGenesis,
} from './world.ts'

/** A whole public log of one round, as `GET /v1/tasks/{task}/journal` serves it, only in hex. */
export function journalVectors() {
  const pins = { operatorKey, enrolmentKey }
  const entries = [signedGenesis, signedResult()]
  return {
    pins: hexed(pins),
    config: { json: JSON.stringify(config), hash: hexed(configHash), signed: hexed(signedConfig) },
    entries: [genesis, entryBody()].map((body, i) => ({
      fields: hexed(body) as Record<string, unknown>,
      hash: hexed(openEntry(curves, operatorKey, known(entries[i])).hash),
      signed: hexed(known(entries[i])),
    })),
    report: verifyJournal(curves, signedConfig, entries, pins),
  }
}

/** The answer of the first client of the roster, before and after its seal. */
export function unmaskVectors() {
  const me = known(clients[0])
  return hexed({ client: me.id, ...answerOf(me) })
}
