import { FedweaveError } from '@fedweave/aggregator'
import { Command, Option } from 'commander'

/** What `fedweave simulate` takes; the scenario's settings are the defaults of the first group. */
export function simulateCommand(): Command {
  return new Command('simulate')
    .argument(
      '[scenario]',
      'mnist, mnist-noniid, mcmahan-2nn, mcmahan-cnn, fashion, healthcare, finance, manufacturing, smart-city, vowel-speakers, own',
    )
    .description('a whole federation on this machine: virtual clients, real data, the live protocol')
    .option('--data <path>', 'of own: a CSV file, a folder with x.npy and y.npy, or one with a folder of images a class')
    .option('--clients <n>', 'virtual clients, up to 100,000')
    .option('--fraction <part>', 'part of the clients that a round asks')
    .option('--rounds <n>', 'rounds to run')
    .option('--epochs <n>', 'passes over its examples that a client makes in a round')
    .option('--batch <n>', 'examples of one update')
    .option('--max-steps <n>', 'most updates of a client in a round')
    .addOption(new Option('--optimizer <name>', 'local optimizer').choices(['sgd', 'adam', 'adamw']))
    .option('--learning-rate <x>', 'of the local optimizer')
    .option('--momentum <x>', 'of sgd')
    .option('--proximal <mu>', "weight of FedProx's proximal term")
    .option(
      '--partition <spec>',
      'iid, dirichlet, pathological, shard, linear, square, exponential, natural, grouped; with parameters: dirichlet:alpha=0.3,min-size=5',
    )
    .option('--noniid', 'the same as --partition shard:shards=2')
    .addOption(new Option('--weighting <by>', 'what a client weighs').choices(['examples', 'uniform']))
    .option('--clip-bound <x>', "L2 bound on a client's delta")
    .option('--value-bits <n>', 'bits of one quantised value')
    .addOption(
      new Option('--secure <mode>', 'check: on, and each sum is compared with the plain one').choices(['on', 'off', 'check']),
    )
    .addOption(
      new Option('--transport <kind>', 'socket: the real server and a real client for each virtual one, up to 500')
        .choices(['memory', 'socket'])
        .default('memory'),
    )
    .option('--dropout <part>', 'part of a cohort that vanishes in mid-round')
    .option('--availability <part>', 'chance that a client is there when a round begins')
    .option('--diurnal', 'clients come and go over a virtual day, instead of by chance')
    .option('--speed-spread <x>', "standard deviation of the logarithm of clients' speeds")
    .option('--deadline <seconds>', 'virtual seconds after which a round waits no longer')
    .option('--over-selection <x>', 'invite so many times the cohort, and take the first that arrive')
    .option('--target <x>', "end once the scenario's metric reaches this")
    .option('--baselines', 'also train clients alone, and one model on all data')
    .option('--no-baselines', 'train the federation only')
    .option('--seed <n>', 'everything follows from it')
    .option('--workers <n>', 'worker threads; default: one for each core')
    .option('--sweep <field=a,b>', 'repeat for each value; several times for a grid', collect)
    .option('--repeats <n>', 'seeds for each setting, from --seed on')
    .option('--compare <result.json...>', 'put finished runs side by side instead')
    .option('--out <folder>', 'folder of state and report; default: one below .fedweave/runs for each setting')
    .option('--fresh', 'start again where the folder holds an unfinished run')
    .option('--json', 'print one JSON object on the last line of stdout')
}

function collect(value: string, before: readonly string[] = []): string[] {
  if (!/^[a-z-]+=.+$/.test(value))
    throw new FedweaveError('FL_USAGE', `--sweep takes field=value,value, got ${JSON.stringify(value)}`)
  return [...before, value]
}
