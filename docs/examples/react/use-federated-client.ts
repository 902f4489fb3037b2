import { type BrowserClientOptions, FederatedClient, type RoundEvent, type RunSummary } from '@fedweave/client/browser'
import { useCallback, useEffect, useRef, useState } from 'react'

export interface Participation {
  readonly state: 'idle' | 'running' | 'paused' | 'finished' | 'failed'
  /** Of the round that trains now, from 0 to 1. */
  readonly progress: number
  /** The last round that ended. */
  readonly round: RoundEvent | undefined
  readonly summary: RunSummary | undefined
  readonly error: unknown
}

const IDLE: Participation = { state: 'idle', progress: 0, round: undefined, summary: undefined, error: undefined }

/**
 * A client of a federated task for a React component: `join` starts it, `leave` ends it, and so does the component's going.
 *
 *     const { state, progress, join } = useFederatedClient()
 *     return <button onClick={() => join({ url, task, dataset })}>{state === 'running' ? progress : 'Take part'}</button>
 */
export function useFederatedClient() {
  const client = useRef<FederatedClient>(undefined)
  const [participation, set] = useState(IDLE)
  const change = useCallback((part: Partial<Participation>) => set((before) => ({ ...before, ...part })), [])

  const join = useCallback(
    (options: BrowserClientOptions) => {
      if (client.current !== undefined) return
      const joined = new FederatedClient(options)
      client.current = joined
      set({ ...IDLE, state: 'running' })
      joined.on('progress', ({ step, steps }) => change({ progress: step / steps }))
      joined.on('round', (round) => change({ round, progress: 0 }))
      joined.on('waiting', ({ reasons }) => change({ state: reasons.length > 0 ? 'paused' : 'running' }))
      joined
        .run()
        .then(
          (summary) => change({ state: 'finished', summary }),
          (error: unknown) => change({ state: 'failed', error }),
        )
        .finally(() => {
          client.current = undefined
        })
    },
    [change],
  )
  useEffect(() => () => client.current?.leave(), [])

  return {
    ...participation,
    join,
    pause: () => client.current?.pause(),
    resume: () => client.current?.resume(),
    leave: () => client.current?.leave(),
  }
}
