import { FedweaveError } from '../core/errors.ts'
import type { TaskConfig } from '../task/config.ts'
import { LARGEST_COMPLETE_GRAPH, sparseGraph } from './sparse-graph.ts'

/** What secure aggregation of one roster needs; every party computes it for itself and nobody can lower it. */
export interface GraphParams {
  /** Clients in the roster. */
  readonly clients: number
  /** Most of them that may be corrupt and collude with the server. */
  readonly corrupt: number
  /** Everybody holds everybody's shares. */
  readonly complete: boolean
  /** Share-holders of each client, itself among them. */
  readonly holders: number
  /** Shares that rebuild a secret. */
  readonly threshold: number
  /** Fewest clients in U1, and in U2. */
  readonly minimumSurvivors: number
}

/** A party's own rule for the graph of a roster; it throws `FL_TOO_FEW_CLIENTS` or `FL_OUT_OF_RANGE`. */
export type GraphRule = (config: Pick<TaskConfig, 'cohort' | 'secureAggregation'>, clients: number) => GraphParams

export interface GraphOptions {
  readonly minimumCohort: number
  /** Absent: 10 % of the roster, at least 1. */
  readonly corrupt?: number | undefined
  /** Largest fraction that may drop out; absent: 0.2 up to 20 clients, 0.1 above. */
  readonly dropout?: number | undefined
}

/**
 * Complete graph: everybody shares masks with, and holds shares of, everybody. `threshold = floor((n + c) / 2) + 1`, so
 * that `2 * threshold > n + c`: two disjoint sets of honest answers, even with every corrupt client in both, cannot
 * both reach it. Bonawitz et al. 2017, section 6.2. Throws `FL_TOO_FEW_CLIENTS` below three clients, and
 * `FL_OUT_OF_RANGE` where fewer than two of them would be honest.
 */
export function completeGraph(clients: number, options: GraphOptions): GraphParams {
  if (clients < 3) throw new FedweaveError('FL_TOO_FEW_CLIENTS', `secure aggregation needs 3 clients, got ${clients}`)
  if (clients > LARGEST_COMPLETE_GRAPH)
    throw new FedweaveError('FL_OUT_OF_RANGE', `a complete graph takes ${LARGEST_COMPLETE_GRAPH} clients, got ${clients}`)
  const corrupt = options.corrupt ?? Math.max(1, Math.ceil(clients / 10))
  const dropout = options.dropout ?? (clients <= 20 ? 0.2 : 0.1)
  const threshold = Math.floor((clients + corrupt) / 2) + 1
  if (corrupt + 2 > clients) {
    throw new FedweaveError('FL_OUT_OF_RANGE', `${clients} clients cannot bear ${corrupt} corrupt ones: at most ${clients - 2}`)
  }
  const staying = clients - Math.floor(dropout * clients + 1e-9) // = ceil((1 - dropout) n), safe against 0.8 * 10 = 8.000000000000002
  const minimumSurvivors = Math.max(options.minimumCohort, corrupt + 2, threshold, staying)
  return { clients, corrupt, complete: true, holders: clients, threshold, minimumSurvivors }
}

/**
 * The graph of a roster under a task's config: complete up to 200 clients, above that client-chosen (see `sparseGraph`).
 * Throws `FL_TOO_FEW_CLIENTS` or `FL_OUT_OF_RANGE`.
 */
export const graphOf: GraphRule = (config, clients) => {
  const { corrupt, dropout } = config.secureAggregation
  const minimumCohort = config.cohort.minimum
  if (clients <= LARGEST_COMPLETE_GRAPH) return completeGraph(clients, { minimumCohort, corrupt, dropout })
  const sparse = sparseGraph(clients, {
    corruptFraction: corrupt === undefined ? undefined : corrupt / clients,
    dropoutFraction: dropout,
  })
  return {
    clients,
    corrupt: sparse.corrupt,
    complete: false,
    holders: sparse.k + 1,
    threshold: sparse.t,
    minimumSurvivors: Math.max(minimumCohort, sparse.corrupt + 2, clients - sparse.dropped),
  }
}
