import type { BrowserClientEvents, BrowserClientOptions, RunSummary } from '../../../client-sdk/src/browser/index.ts'

/** Options that can cross to the page; `examples` names the data set that the site serves under `/data/`. */
export interface Joining extends Omit<BrowserClientOptions, 'dataset' | 'url' | 'consent'> {
  readonly url?: string
  readonly examples: string
  readonly consents?: boolean
}

export type Heard = {
  [K in keyof BrowserClientEvents]: readonly [type: K, event: BrowserClientEvents[K]]
}[keyof BrowserClientEvents]

export interface Failure {
  readonly name: string
  readonly code: string
  readonly message: string
}

/** What the page lets tests do with the one client that it runs. */
export interface FederationApi {
  /** Joins and returns at once. */
  join(joining: Joining): Promise<void>
  /** How `run` ended. */
  outcome(): Promise<RunSummary | Failure>
  /** All events so far. */
  events(): readonly Heard[]
  /** Resolves once an event of that type was heard that has these fields, past ones included. */
  heard<K extends keyof BrowserClientEvents>(type: K, fields?: Partial<BrowserClientEvents[K]>): Promise<void>
  pause(): void
  resume(): void
  leave(): void
  /** Other examples, for the next time that the client asks. */
  change(examples: string): Promise<void>
  /** Whether the page's policy let it compile a string as it loaded. */
  readonly evaluates: boolean
  /** Longest task of the page's thread since it was loaded, in ms; 0: none above 50. */
  longestTask(): number
}

declare global {
  interface Window {
    client: FederationApi
  }
}
