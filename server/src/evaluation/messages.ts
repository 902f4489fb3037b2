import type { FedweaveError, ModelSpec } from '@fedweave/aggregator'

/** To the evaluation worker, which answers in the order of asking. */
export type ToEvaluator =
  | { readonly kind: 'describe'; readonly topology: string }
  | { readonly kind: 'evaluate'; readonly spec: ModelSpec; readonly weights: Float32Array }

/**
 * From the worker: first whether it is ready, then one for each request. Structured cloning keeps neither an error's class
 * nor its code, so that errors cross as JSON.
 */
export type FromEvaluator = { readonly result: unknown } | { readonly error: ReturnType<FedweaveError['toJSON']> }
