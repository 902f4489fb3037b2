import type { Metrics } from '@fedweave/client/training'

/** Share of right answers. */
export const ACCURACY = { name: 'accuracy', of: ({ accuracy }: Metrics) => accuracy }

/** Mean of the classes' recalls: a rare class weighs as much as a common one. */
export const BALANCED_ACCURACY = { name: 'balanced accuracy', of: ({ macro }: Metrics) => macro.recall }

/** Mean of the classes' F1 scores. */
export const MACRO_F1 = { name: 'macro F1', of: ({ macro }: Metrics) => macro.f1 }
