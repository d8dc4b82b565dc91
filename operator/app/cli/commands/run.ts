import { setFlagsFromString } from 'node:v8'
import { Command } from 'commander'
import { exactEth } from '../../../core/amounts.ts'
import type { OperatorConfig } from '../../config.ts'
import { beaconUrl, dataDir, directory, flag, logLevel, parseAmount, parseMultiaddr, parsePort, passwordFile, rpcUrl } from '../flags.ts'

/** Wei. The fee is one wei as long as few use it; the stall penalty that repays it is ten times this and more. */
const DEFAULT_MAX_EXIT_FEE = 10n ** 16n

async function startNode(config: OperatorConfig): Promise<void> {
  const { run } = await import('../../run.ts')
  await run(config)
}

/** @param start what starts a node; the shipped one by default */
export function runCommand(start: (config: OperatorConfig) => Promise<void> = startNode): Command {
  return new Command('run')
    .summary('run the operator')
    .description(
      [
        'Runs the operator until SIGTERM or SIGINT. Logs JSON lines to stdout.',
        'Endpoints that are down are waited for; /status of the HTTP port says what it waits for.',
        'It ends with status 1 when waiting would not help: a wrong password, keys in use, not registered, different chains.',
      ].join('\n'),
    )
    .addOption(dataDir())
    .addOption(passwordFile())
    .addOption(rpcUrl())
    .addOption(beaconUrl())
    .addOption(directory())
    .addOption(
      flag('--listen <multiaddr>', 'where to listen for other operators').argParser(parseMultiaddr).default('/ip4/0.0.0.0/tcp/9000'),
    )
    .addOption(flag('--http-host <address>', 'address of the HTTP server').default('127.0.0.1'))
    .addOption(flag('--http-port <port>', 'port of /health, /status and /metrics').argParser(parsePort).default(8645))
    .addOption(
      flag('--max-exit-fee <eth>', 'most ETH to pay for forcing out one validator (EIP-7002); above it the keeper waits')
        .argParser(parseAmount)
        .default(DEFAULT_MAX_EXIT_FEE, exactEth(DEFAULT_MAX_EXIT_FEE)),
    )
    .addOption(logLevel())
    .addHelpText(
      'after',
      [
        '',
        'Example:',
        '  openpools run --data-dir ~/.openpools --password-file ~/.openpools-password --directory 0x… \\',
        '    --rpc-url http://127.0.0.1:8545 --beacon-url http://127.0.0.1:5052 --listen /ip4/0.0.0.0/tcp/9000',
      ].join('\n'),
    )
    .action(async (config: OperatorConfig) => {
      // V8 lets short-lived objects take up to 128 MB on a large machine before it looks at them; an operator's are few and
      // die young. Kept at its first size, the whole process needs a third less, at the price of a few more, tiny, collections.
      setFlagsFromString('--semi-space-growth-factor=1')
      await start(config)
    })
}
