import { FedweaveError } from '@fedweave/aggregator'
import { Command, CommanderError } from 'commander'
import type { Action } from './commands/action.ts'
import { printError, usageExit } from './commands/output.ts'

/** Commands load only when they are called: `fedweave --help` must not wait for TensorFlow.js. */
const lazily =
  (load: () => Promise<{ run: Action }>) =>
  async (...given: unknown[]): Promise<void> => {
    const command = given.at(-1) as Command
    const { run } = await load()
    process.exitCode = await run(command.opts(), command.args)
  }

function program(): Command {
  const cli = new Command('fedweave')
    .description('Federated learning with secure aggregation: server, client, demo and benches.')
    .exitOverride()
    .showHelpAfterError('(see `fedweave --help`)')

  cli
    .command('serve')
    .description('run a server; without --config it serves MNIST on the reference CNN to whoever comes')
    .option('-c, --config <file>', 'YAML or JSON config')
    .option('--host <address>', 'address to listen on')
    .option('--port <number>', 'port to listen on; 0 takes a free one')
    .option('--data <folder>', 'folder of keys, journals and checkpoints')
    .option('--log <level>', 'log level of the structured log on stderr', 'info')
    .option('--json', 'print one JSON object on stdout once the server listens')
    .action(lazily(() => import('./commands/serve.ts')))

  cli
    .command('client')
    .argument('<url>', "the server's http or https URL")
    .description('take part in a task until it is finished')
    .requiredOption('--task <id>', 'the task to join')
    .requiredOption('--dataset <name>', 'mnist, or the path of a module that exports `dataset()`')
    .option('--shard <i/n>', 'train on part i of n of the data set, i from 1')
    .option('--seed <number>', 'seed of the partition and of training', '1')
    .option('--store <folder>', 'folder of identity and ledger; default: ~/.fedweave/client, or one below it for each shard')
    .option('--certificate <file>', 'certificate of this identity, in hex')
    .option('--enrolment-key <hex>', 'pin the key that certifies clients')
    .option('--operator-key <hex>', 'pin the key that signs configs and journal')
    .option('--json', 'print one JSON object on the last line of stdout')
    .action(lazily(() => import('./commands/client.ts')))

  cli
    .command('demo')
    .description('the whole thing here: a server, ten clients, two of which are killed in mid-round, MNIST, secure aggregation')
    .option('--rounds <number>', 'rounds to run', '3')
    .option('--json', 'print one JSON object on the last line of stdout')
    .action(lazily(() => import('./commands/demo.ts')))

  cli
    .command('privacy')
    .description('what the privacy of a task takes: graph')
    .command('graph')
    .description('share-holders and threshold that secure aggregation needs for a roster, and why')
    .requiredOption('--clients <n>', 'clients in the roster')
    .option('--corrupt <fraction>', 'part of them that may collude with the server', '0.1')
    .option('--dropout <fraction>', 'part of them that may drop out; default: 0.2 up to 20 clients, 0.1 above')
    .option('--json', 'print one JSON object on the last line of stdout')
    .action(lazily(() => import('./commands/privacy.ts')))

  cli
    .command('bench')
    .argument('<name>', 'which bench: secagg, train')
    .description('measure one thing and print it as JSON')
    .allowUnknownOption()
    .allowExcessArguments()
    .helpOption(false)
    .action(lazily(() => import('./commands/bench.ts')))
  return cli
}

/** Exit codes: 0 done; 2 unknown command, option or value; 1 everything else. */
export async function main(argv: readonly string[]): Promise<number> {
  const json = argv.includes('--json')
  try {
    await program().parseAsync([...argv], { from: 'user' })
    return Number(process.exitCode ?? 0)
  } catch (error) {
    if (error instanceof CommanderError) return usageExit(error, json)
    printError(error, json)
    return error instanceof FedweaveError && error.code === 'FL_USAGE' ? 2 : 1
  }
}
