import { Command, Option } from 'commander'
import { integerOption } from '../src/commands/output.ts'
import { type Measured, measureParts, megabytes, rounded, within } from './load-parts.ts'

const PARTS = ['clients', 'rounds'] as const

export const command = new Command('round')
  .description('secure rounds on a server in a process of its own: one of many whole clients, and many of three')
  .addOption(new Option('--only <part>', 'one part; default: both, one after the other').choices(PARTS))
  .option('--clients <n>', 'clients: whole clients, all in one round', '200')
  .option('--rounds <n>', 'rounds: of three clients, one after the other', '500')

/** Memory in MB (1e6 bytes), of the server alone. */
export async function run(options: Record<string, unknown>): Promise<Record<string, unknown>> {
  const clients = integerOption('clients', options.clients, 3, 1000)
  const rounds = integerOption('rounds', options.rounds, 5, 100_000)
  return measureParts(options.only, { clients: () => large(clients), rounds: () => many(rounds) })
}

/** `seconds`: from opening the round to its end. */
function large(clients: number): Promise<Measured> {
  return within({ clients, cohort: { minimum: 3, target: clients }, rounds: 1, paused: false }, async (scene) => {
    const [{ seconds, survivors, aborted }, answers] = await Promise.all([scene.rounds([1]), scene.train(clients)])
    const counted = answers.reduce((sum, answer) => sum + answer.counted, 0)
    const { processes } = scene
    return { clients, processes, seconds: rounded(seconds), survivors, aborted, verified: counted === survivors }
  })
}

/** At a fifth of the rounds and after the last, after a collection: resident, and what JavaScript holds, buffers included. */
function many(rounds: number): Promise<Measured> {
  return within({ clients: 3, cohort: { minimum: 3, target: 3 }, rounds, paused: false }, async (scene) => {
    const marks = [Math.floor(rounds / 5), rounds]
    const [{ marks: measured, seconds, aborted }, answers] = await Promise.all([scene.rounds(marks), scene.train(3)])
    const at = measured.map(({ collected }, i) => ({
      round: marks[i],
      heldMB: megabytes(collected.held),
      rssMB: megabytes(collected.rss),
    }))
    const counted = answers.reduce((sum, answer) => sum + answer.counted, 0)
    return { rounds, at, seconds: rounded(seconds), aborted, verified: counted === 3 * rounds }
  })
}
