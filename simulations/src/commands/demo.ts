import { runDemo } from '../demo/run-demo.ts'
import type { Action } from './action.ts'
import { integerOption, interruptSignal } from './output.ts'

export const run: Action = async (options) => {
  const json = options.json === true
  const rounds = integerOption('rounds', options.rounds, 2, 100)
  const started = performance.now()
  const { problems, transcripts, ...outcome } = await runDemo({
    rounds,
    stream: json ? process.stderr : process.stdout,
    signal: interruptSignal(),
  })
  const seconds = Number(((performance.now() - started) / 1000).toFixed(1))
  for (const problem of problems) console.error(`the journal does not verify: ${problem}`)
  if (json) console.log(JSON.stringify({ ...outcome, seconds }))
  else console.log(summary(outcome, transcripts, seconds))
  return outcome.secure ? 0 : 1
}

function summary(
  outcome: Omit<Awaited<ReturnType<typeof runDemo>>, 'problems' | 'transcripts'>,
  transcripts: number,
  seconds: number,
): string {
  const { accuracy, recall, clients, dropouts, rounds, uploadBytesPerParam } = outcome
  return `
${clients} clients trained one model in ${rounds} rounds and ${seconds} s; ${dropouts} updates were lost in mid-round, and the rounds went on.
accuracy ${accuracy.toFixed(4)}, macro recall ${recall.toFixed(4)} on the 10,000 test images of MNIST
${uploadBytesPerParam.toFixed(2)} bytes a parameter for each masked update; the server saw sums only: ${transcripts} signed transcripts verify

Look further:
  npx fedweave serve                                                    a server of your own
  npx fedweave client <url> --task mnist --dataset mnist --shard 1/10   a client for it
  docs/protocol/v1.md                                                   why nobody sees your update`
}
