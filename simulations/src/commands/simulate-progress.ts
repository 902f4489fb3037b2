import { SingleBar } from 'cli-progress'
import type { FetchProgress } from '../data/library.ts'
import type { SimulateEvent } from '../engine/simulate.ts'
import { judgedText } from '../report/judged.ts'
import type { Scenario } from '../scenarios/scenario.ts'

export interface Narrator {
  onEvent(event: SimulateEvent): void
  onFetch(progress: FetchProgress): void
  say(line: string): void
  end(): void
}

/** Live progress: one line a round, and on a terminal a bar below them. */
export function narrator(stream: NodeJS.WriteStream, { metric }: Pick<Scenario, 'metric'>): Narrator {
  let bar: SingleBar | undefined
  const say = (line: string) => {
    if (bar !== undefined) stream.write('\r\x1b[K')
    stream.write(`${line}\n`)
    bar?.render()
  }
  const show = (done: number, of: number, what: string) => {
    if (!stream.isTTY) return
    if (bar === undefined) {
      bar = new SingleBar({ stream, format: '{what} |{bar}| {value}/{total}, {eta_formatted} left', clearOnComplete: true })
      bar.start(of, 0, { what })
    }
    bar.setTotal(of)
    bar.update(done, { what })
  }
  return {
    say,
    onEvent(event) {
      switch (event.type) {
        case 'loaded':
          return say(
            `${event.examples.toLocaleString('en')} examples, ${event.clients.toLocaleString('en')} clients, ` +
              `${event.parameters.toLocaleString('en')} parameters, ${event.backend}`,
          )
        case 'resumed':
          return say(`goes on after round ${event.round}`)
        case 'round': {
          say(roundLine(event.record, event.of, metric.name))
          return show(event.record.round, event.of, 'rounds')
        }
        case 'aborted':
          return say(`round ${event.round} is repeated: ${event.message}`)
        case 'baselines':
          return show(event.done, event.of, 'baselines')
        case 'stopped':
          return say(`stopped after round ${event.round}; the same command goes on from there`)
      }
    },
    onFetch: ({ url, bytes, of = bytes }) =>
      show(Math.round(bytes / 1e5) / 10, Math.round(of / 1e5) / 10, `MB of ${new URL(url).pathname.split('/').at(-1)}`),
    end: () => bar?.stop(),
  }
}

function roundLine(record: Extract<SimulateEvent, { type: 'round' }>['record'], of: number, metric: string): string {
  const { round, invited, survivors, test, loss, check } = record
  const checked = check === undefined ? '' : `, ${(check.largest / check.quantum).toFixed(3)} quanta off the plain mean`
  return (
    `round ${round}/${of}: ${survivors} of ${invited} clients, training loss ${loss.toFixed(4)}, ` +
    `test ${judgedText(metric, test)}${checked}`
  )
}
