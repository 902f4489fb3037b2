import {
  completeGraph,
  countsOf,
  FedweaveError,
  LARGEST_COMPLETE_GRAPH,
  MAX_COHORT,
  MAX_SHARES,
  sparseGraph,
} from '@fedweave/aggregator'
import { integerOption, numberOption } from './output.ts'

interface Setting {
  readonly graph: 'complete' | 'sparse'
  readonly clients: number
  readonly corrupt: number
  readonly dropped: number
  readonly k: number
  readonly t: number
  readonly corruptHolders: number
  /** Logarithms of probabilities; `-Infinity`, in JSON null, is what cannot happen. */
  readonly log2Privacy: number
  readonly log2Correctness: number
  readonly log2Isolation: number
  readonly why: readonly string[]
}

/** `fedweave privacy graph`: the neighbours and the threshold that clients compute for a roster, and what they follow from. */
export async function run(options: Record<string, unknown>): Promise<number> {
  const clients = integerOption('clients', options.clients, 3, MAX_COHORT)
  const corruptFraction = numberOption('corrupt', options.corrupt, 0, 1)
  const usual = clients <= 20 ? 0.2 : 0.1
  const dropoutFraction = options.dropout === undefined ? usual : numberOption('dropout', options.dropout, 0, 1)
  const setting = (clients <= LARGEST_COMPLETE_GRAPH ? complete : sparse)(clients, corruptFraction, dropoutFraction)
  if (options.json === true) console.log(JSON.stringify(setting))
  else console.log([`k = ${setting.k}, t = ${setting.t}`, ...setting.why.map((reason) => `- ${reason}`)].join('\n'))
  return 0
}

function complete(clients: number, corruptFraction: number, dropoutFraction: number): Setting {
  const { corrupt, dropped } = countsOf(clients, corruptFraction, dropoutFraction)
  const { threshold: t } = completeGraph(clients, { minimumCohort: 3, corrupt, dropout: dropoutFraction })
  if (clients - dropped < t) {
    const bearable = clients - 2 * dropped - 1 // t <= clients - dropped, solved for the corrupt ones
    const fewerCorrupt = bearable < 1 ? '' : `, or ${bearable} corrupt with ${dropped} dropping out`
    throw new FedweaveError(
      'FL_OUT_OF_RANGE',
      `of ${clients} clients, ${corrupt} of them corrupt, ${t} have to stay, so ${dropped} must not drop out; ` +
        `the nearest that can be had: ${corrupt} corrupt with ${clients - t} dropping out${fewerCorrupt}`,
    )
  }
  return {
    graph: 'complete',
    clients,
    corrupt,
    dropped,
    k: clients - 1,
    t,
    corruptHolders: corrupt,
    log2Privacy: Number.NEGATIVE_INFINITY,
    log2Correctness: Number.NEGATIVE_INFINITY,
    log2Isolation: Number.NEGATIVE_INFINITY,
    why: [
      `up to ${LARGEST_COMPLETE_GRAPH} clients everybody shares masks with everybody: nobody can be cut off`,
      `2 x ${t} is more than ${clients} shares and ${corrupt} corrupt clients: no client's two secrets can both be rebuilt`,
      `${clients - dropped} clients stay at least, and ${t} rebuild a secret`,
    ],
  }
}

function sparse(clients: number, corruptFraction: number, dropoutFraction: number): Setting {
  const graph = sparseGraph(clients, { corruptFraction, dropoutFraction })
  const { corrupt, dropped, k, t, corruptHolders, log2Privacy, log2Correctness, log2Isolation } = graph
  return {
    graph: 'sparse',
    ...graph,
    why: [
      `each client chooses ${k} share-holders; with its own that makes ${k + 1} shares, of at most ${MAX_SHARES}`,
      `with ${corrupt} of ${clients} clients corrupt, no client has more than ${corruptHolders} corrupt holders in all but 2^-41 of ` +
        `rounds; 2 x ${t} is more than ${k + 1} shares and those ${corruptHolders}: no client's two secrets can both be rebuilt`,
      `honest clients that stay are cut off from each other ${chance(log2Isolation)}, even if the server chooses who drops out`,
      `so a round leaks more than its sum ${chance(log2Privacy)}: at most 2^-40 is allowed`,
      `with ${dropped} clients gone, fewer than ${t} holders are left to some client ${chance(log2Correctness)}: at most 2^-20 is allowed`,
    ],
  }
}

function chance(log2: number): string {
  return log2 === Number.NEGATIVE_INFINITY ? 'never' : `with a probability of 2^${log2.toFixed(1)}`
}
