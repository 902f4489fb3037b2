import { server } from './link.ts'

export interface Participant {
  readonly client: string
  readonly progress: string
}

/** The running round as the server tells everybody. */
export interface RoundView {
  readonly connected: number
  readonly needed: number
  readonly round: number | undefined
  readonly phase: string | undefined
  readonly participants: readonly Participant[]
}

type TaskEvent =
  | { readonly type: 'clients'; readonly connected: number }
  | { readonly type: 'phase'; readonly round: number; readonly phase: string }
  | { readonly type: 'client'; readonly round: number; readonly client: string; readonly progress: string }
  | { readonly type: 'committed' | 'aborted'; readonly round: number }
  | { readonly type: 'warning' | 'finished' }

/** Follows a task's public events. `changed` gets every new view, `committed` is called after each round that counted. */
export function watchTask(
  task: string,
  on: { readonly changed: (view: RoundView) => void; readonly committed: () => void; readonly reachable: (yes: boolean) => void },
): void {
  let view: RoundView = { connected: 0, needed: 0, round: undefined, phase: undefined, participants: [] }
  const set = (change: Partial<RoundView>) => {
    view = { ...view, ...change }
    on.changed(view)
  }
  const base = `${server}v1/tasks/${encodeURIComponent(task)}`
  const readStatus = async () => {
    const response = await fetch(base)
    const { clients } = (await response.json()) as { clients: { connected: number; minimum: number } }
    set({ connected: clients.connected, needed: clients.minimum })
  }
  const source = new EventSource(`${base}/events`)
  const greet = () =>
    readStatus().then(
      () => on.reachable(true),
      () => on.reachable(false),
    )
  const lost = () => on.reachable(false)
  source.onopen = greet
  source.onerror = lost
  globalThis.addEventListener('offline', lost) // an open connection may take minutes to notice
  globalThis.addEventListener('online', greet)
  source.onmessage = ({ data }) => {
    const event = JSON.parse(data) as TaskEvent
    switch (event.type) {
      case 'clients':
        return set({ connected: event.connected })
      case 'phase':
        return set({ round: event.round, phase: event.phase, participants: event.round === view.round ? view.participants : [] })
      case 'client': {
        const others = event.round === view.round ? view.participants.filter(({ client }) => client !== event.client) : []
        const participants = [...others, event].sort((a, b) => (a.client < b.client ? -1 : 1))
        return set({ round: event.round, participants })
      }
      case 'committed':
        set({ phase: undefined })
        return on.committed()
      case 'aborted':
        return set({ phase: undefined, participants: [] })
      case 'warning':
      case 'finished':
        return
    }
  }
}
