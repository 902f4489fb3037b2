import type { ModelSpec } from '@fedweave/aggregator'

/** To the evaluation thread, which answers one after the other; `load`: once TensorFlow.js and the data are there. */
export type ToEvaluator =
  | { readonly kind: 'load' }
  | { readonly kind: 'describe'; readonly topology: string }
  | { readonly kind: 'evaluate'; readonly spec: ModelSpec; readonly weights: Float32Array }
