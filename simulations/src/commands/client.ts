import { readFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { FedweaveError, fromHex } from '@fedweave/aggregator'
import { FederatedClient, fileStore, type LocalDataset } from '@fedweave/client'
import { MNIST_EXAMPLES, mnist } from '../data/mnist.ts'
import { iidShard, type Shard } from '../partition/iid.ts'
import { take } from '../partition/take.ts'
import type { Action } from './action.ts'
import { figuresOf } from './figures.ts'
import { integerOption, interruptSignal, passphrase } from './output.ts'

export const run: Action = async (options, [url = '']) => {
  const seed = integerOption('seed', options.seed, 0, 2 ** 32 - 1)
  const shard = parseShard(options.shard)
  const dataset = await loadDataset(String(options.dataset), shard, seed)
  const certificate =
    typeof options.certificate === 'string' ? fromHex((await readFile(options.certificate, 'utf8')).trim()) : undefined
  const client = new FederatedClient({
    url,
    task: String(options.task),
    dataset,
    seed,
    store: fileStore(storeFolder(options.store, shard), passphrase()),
    pins: {
      ...(typeof options.operatorKey === 'string' ? { operatorKey: options.operatorKey } : {}),
      ...(typeof options.enrolmentKey === 'string' ? { enrolmentKey: options.enrolmentKey } : {}),
    },
    ...(options.newData === true ? { newData: true } : {}),
    ...(certificate === undefined ? {} : { certificate }),
    ...(typeof options.token === 'string' ? { token: options.token } : {}),
    ...(typeof options.enrolmentUrl === 'string' ? { enrolmentUrl: options.enrolmentUrl } : {}),
  })
  const json = options.json === true
  narrate(client, json ? (line) => console.error(line) : (line) => console.log(line))
  const summary = await client.run({ signal: interruptSignal() })
  if (json) console.log(JSON.stringify(summary))
  else
    console.log(
      `the task is finished; this client's update counted in ${summary.rounds} rounds; the model is ${summary.modelHash}`,
    )
  return 0
}

function narrate(client: FederatedClient, say: (line: string) => void): void {
  client.on('warning', ({ message }) => console.error(`warning: ${message}`))
  client.on('connection', ({ state }) => say(state))
  client.on('phase', ({ round, phase }) => say(`round ${round}: ${phase}`))
  client.on('progress', ({ round, step, steps, loss, accuracy }) => {
    const tenth = Math.max(1, Math.floor(steps / 10))
    if (step % tenth === 0 || step === steps)
      say(
        `round ${round}: step ${step}/${steps}, loss ${loss.toFixed(3)}${accuracy === undefined ? '' : `, accuracy ${accuracy.toFixed(3)}`}`,
      )
  })
  client.on('uploaded', ({ round, bytes }) => say(`round ${round}: masked update counted, ${bytes} bytes`))
  client.on('round', ({ round, outcome, evaluation, message }) => {
    const result = evaluation === undefined ? '' : `, ${figuresOf(evaluation)} on held-out data`
    say(outcome === 'committed' ? `round ${round}: committed${result}` : `round ${round}: aborted: ${message}`)
  })
}

async function loadDataset(name: string, shard: Shard | undefined, seed: number): Promise<LocalDataset> {
  if (name === 'mnist') return shard === undefined ? mnist('train') : mnist('train', iidShard(MNIST_EXAMPLES.train, shard, seed))
  let module: { dataset?: unknown }
  try {
    module = (await import(pathToFileURL(resolve(name)).href)) as { dataset?: unknown }
  } catch (cause) {
    throw new FedweaveError('FL_DATASET_SHAPE', `cannot load the data set ${JSON.stringify(name)}`, {
      cause,
      cure: 'Give `mnist`, or the path of an ES module that exports `dataset()`.',
    })
  }
  if (typeof module.dataset !== 'function') throw new FedweaveError('FL_DATASET_SHAPE', `${name} exports no function \`dataset\``)
  const all = (await module.dataset()) as LocalDataset & { readonly classes: number }
  return shard === undefined ? all : take(all, iidShard(all.labels.length, shard, seed))
}

/** `3/10` is the third of ten. */
function parseShard(raw: unknown): Shard | undefined {
  if (raw === undefined) return undefined
  const [, i, n] = /^(\d{1,6})\/(\d{1,6})$/.exec(String(raw)) ?? []
  const [shard, of] = [Number(i), Number(n)]
  if (i === undefined || shard < 1 || shard > of)
    throw new FedweaveError('FL_USAGE', `--shard takes i/n with i from 1 to n, got ${JSON.stringify(raw)}`)
  return { shard: shard - 1, of }
}

/** Clients of one machine, told apart by their shard, are different identities. */
function storeFolder(raw: unknown, shard: Shard | undefined): string {
  if (typeof raw === 'string') return raw
  const base = join(homedir(), '.fedweave', 'client')
  return shard === undefined ? base : join(base, `shard-${shard.shard + 1}-of-${shard.of}`)
}
