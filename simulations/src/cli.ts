import { FedweaveError } from '@fedweave/aggregator'
import { Command, CommanderError, Option } from 'commander'
import type { Action } from './commands/action.ts'
import { printError, usageExit } from './commands/output.ts'
import { simulateCommand } from './commands/simulate-options.ts'

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
    .option('--app', 'serve the example app below /app/ too, where people draw digits and train on them in their browsers')
    .option('--set <field=value...>', 'set fields of the config, such as limits.clients=500')
    .option('--print-config', 'print the config that results, without secrets, and end')
    .option('--log <level>', 'log level of the structured log on stderr', 'info')
    .option('--json', 'print one JSON object on stdout once the server listens')
    .action(lazily(() => import('./commands/serve.ts')))

  cli
    .command('enrol')
    .description('the enrolment service, which keeps the key that certifies clients off the server: serve')
    .command('serve')
    .description('certify clients that show an invite token or a JWT')
    .option('-c, --config <file>', 'YAML or JSON config')
    .option('--host <address>', 'address to listen on')
    .option('--port <number>', 'port to listen on; 0 takes a free one')
    .option('--data <folder>', 'folder of the key and of the tokens')
    .option('--set <field=value...>', 'set fields of the config, such as enrolment.mode=jwt')
    .option('--print-config', 'print the config that results, without secrets, and end')
    .option('--log <level>', 'log level of the structured log on stderr', 'info')
    .option('--json', 'print one JSON object on stdout once it listens')
    .action(lazily(() => import('./commands/enrol.ts')))

  const token = cli.command('token').description('invite tokens of a server or an enrolment service: create, list, revoke')
  const data = () => new Option('--data <folder>', 'its data folder').env('FEDWEAVE_DATA').makeOptionMandatory()
  token
    .command('create')
    .description('make a token and print it, for the only time')
    .addOption(data())
    .option('--uses <n>', 'identities that may enrol with it', '1')
    .option('--expires <time>', 'how long it is good, such as 90m, 12h or 7d; default: no end')
    .option('--label <text>', 'whom it is for')
    .option('--json', 'print one JSON object on the last line of stdout')
    .action(lazily(async () => ({ run: (await import('./commands/token.ts')).create })))
  token
    .command('list')
    .description('all tokens, the newest first: id, uses, end')
    .addOption(data())
    .option('--json', 'print one JSON object on the last line of stdout')
    .action(lazily(async () => ({ run: (await import('./commands/token.ts')).list })))
  token
    .command('revoke')
    .argument('<id>', 'the id of the token')
    .description('let nobody enrol with it any more')
    .addOption(data())
    .option('--json', 'print one JSON object on the last line of stdout')
    .action(lazily(async () => ({ run: (await import('./commands/token.ts')).revoke })))

  const task = cli.command('task').description('tasks of a running server: create, list, show, pause, resume, stop, delete')
  const onServer = (command: Command) =>
    command
      .requiredOption('--url <url>', "the server's http or https URL")
      .option('--json', 'print one JSON object on the last line of stdout')
  const asOperator = (command: Command) =>
    onServer(command).requiredOption('--key-file <file>', "file of the operator's API key: operator-api.key of the data folder")
  type TaskAction = 'create' | 'list' | 'detail' | 'pause' | 'resume' | 'stop' | 'remove'
  const taskAction = (name: TaskAction) => lazily(async () => ({ run: (await import('./commands/task.ts'))[name] }))
  asOperator(task.command('create').description('make a task, which outlives the server'))
    .requiredOption('--spec <file>', "YAML or JSON: a task as in a server's config, or with the model `name: reference-cnn`")
    .action(taskAction('create'))
  onServer(task.command('list').description('all tasks and where they stand')).action(taskAction('list'))
  onServer(task.command('show').argument('<id>', 'the task').description('where one task stands')).action(taskAction('detail'))
  asOperator(task.command('pause').argument('<id>', 'the task').description('open no new round; a running one goes on'))
    .option('--come-back <seconds>', 'when clients are told to come back', '300')
    .action(taskAction('pause'))
  asOperator(task.command('resume').argument('<id>', 'the task').description('open rounds again')).action(taskAction('resume'))
  asOperator(task.command('stop').argument('<id>', 'the task').description('end it for good')).action(taskAction('stop'))
  asOperator(
    task.command('delete').argument('<id>', 'the task').description('delete a stopped or finished task with all it kept'),
  ).action(taskAction('remove'))

  cli
    .command('verify')
    .argument('<source>', "URL of a server or of a task's journal, a file with what the latter answers, or a data folder")
    .description("check a task's public journal against keys that you got from elsewhere, and its models against the journal")
    .requiredOption('--operator-key <hex>', 'the key that signs configs and journal')
    .requiredOption('--enrolment-key <hex>', 'the key that certifies clients')
    .option('--task <id>', 'the task, where there are several')
    .option('--models', 'of a URL: also fetch the models and sums that are kept; of a folder they always are checked')
    .option('--json', 'print one JSON object on the last line of stdout')
    .action(lazily(() => import('./commands/verify.ts')))

  cli
    .command('client')
    .argument('<url>', "the server's http or https URL")
    .description('take part in a task until it is finished')
    .requiredOption('--task <id>', 'the task to join')
    .requiredOption('--dataset <name>', 'mnist, or the path of a module that exports `dataset()`')
    .option('--shard <i/n>', 'train on part i of n of the data set, i from 1')
    .option('--seed <number>', 'seed of the partition and of training', '1')
    .option('--new-data', 'the examples are new, which a continuous task is told')
    .option('--store <folder>', 'folder of identity and ledger; default: ~/.fedweave/client, or one below it for each shard')
    .option('--certificate <file>', 'certificate of this identity, in hex')
    .option('--token <text>', 'invite token or JWT to enrol with, where one is needed')
    .option('--enrolment-url <url>', 'where to enrol; default: where the server says')
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

  cli.addCommand(
    simulateCommand()
      .copyInheritedSettings(cli)
      .action(lazily(() => import('./commands/simulate.ts'))),
  )

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
