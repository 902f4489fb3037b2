import type { ClientId } from '@fedweave/aggregator'
import type { TaskEvent } from '@fedweave/server'
import { SingleBar } from 'cli-progress'
import { figuresOf } from '../commands/figures.ts'

/** Shows the demo as it goes: a line for what happened, a bar while clients train. */
export class Board {
  readonly #stream: NodeJS.WriteStream
  readonly #names: ReadonlyMap<ClientId, string>
  readonly #tenths = new Map<string, number>()
  #bar: SingleBar | undefined
  #in: string[] = []

  constructor(stream: NodeJS.WriteStream, names: ReadonlyMap<ClientId, string>) {
    this.#stream = stream
    this.#names = names
  }

  say(line: string): void {
    this.#stopBar()
    this.#stream.write(`${line}\n`)
  }

  /** A client's own report that it has done a part of its training. */
  trained(client: string, fraction: number): void {
    this.#tenths.set(client, fraction)
    if (!this.#stream.isTTY) return
    if (this.#bar === undefined) {
      this.#bar = new SingleBar({
        format: '  training {bar} {percentage}% of {clients} clients',
        stream: this.#stream,
        hideCursor: true,
      })
      this.#bar.start(1, 0, { clients: this.#in.length })
    }
    const done = [...this.#tenths.values()].reduce((sum, part) => sum + part, 0)
    this.#bar.update(done / Math.max(1, this.#in.length), { clients: this.#in.length })
  }

  show(event: TaskEvent): void {
    const name = (id: ClientId) => this.#names.get(id) ?? id
    switch (event.type) {
      case 'phase':
        if (event.phase === 'recruiting') {
          this.#in = []
          this.#tenths.clear()
          this.say(`round ${event.round}`)
        } else if (event.phase !== 'completed') this.say(`  ${event.phase}: ${event.clients} clients`)
        break
      case 'client':
        if (event.progress === 'ready') this.#in.push(name(event.client))
        if (event.progress === 'acknowledged' || event.progress === 'ready') break
        if (event.progress === 'uploaded')
          this.say(`  ${name(event.client)}: masked update counted, ${event.bytes?.toLocaleString('en')} bytes`)
        if (event.progress === 'dropped')
          this.say(`  ${name(event.client)} dropped out; its masks are rebuilt from the others' shares`)
        break
      case 'committed': {
        const { evaluation } = event
        const recovered = event.cohort - event.survivors
        const result = evaluation === undefined ? '' : `: ${figuresOf(evaluation)}`
        this.say(
          `  committed from ${event.survivors} of ${event.cohort} clients${recovered > 0 ? `, ${recovered} drop-outs recovered` : ''}${result}`,
        )
        break
      }
      case 'aborted':
        this.say(`  aborted: ${event.message}`)
        break
      case 'warning':
        this.say(`  warning: ${event.message}`)
        break
      case 'clients':
      case 'finished':
        break
    }
  }

  close(): void {
    this.#stopBar()
  }

  #stopBar(): void {
    this.#bar?.stop()
    this.#bar = undefined
  }
}
