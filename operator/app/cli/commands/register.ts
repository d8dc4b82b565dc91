import { Command } from 'commander'
import type { RegisterRequest } from '../../register.ts'
import {
  dataDir,
  directory,
  flag,
  json,
  ownerKeyFile,
  ownerPasswordFile,
  parseAmount,
  parseAmountOrZero,
  parseMultiaddr,
  passwordFile,
  rpcUrl,
} from '../flags.ts'
import { print } from '../print.ts'

type Flags = RegisterRequest & { readonly json?: true }

export function registerCommand(): Command {
  return new Command('register')
    .summary('bond ETH and register the operator')
    .description(
      [
        'Registers the operator whose keys are in the data folder, with a bond from the owner’s wallet.',
        'The owner is a cold address: it keeps the bond, and is not needed again until you leave.',
        'The operator key pays the gas of routine transactions; --fund-operator sends it some ETH on the way.',
      ].join('\n'),
    )
    .addOption(dataDir())
    .addOption(passwordFile())
    .addOption(rpcUrl())
    .addOption(directory())
    .addOption(ownerKeyFile().makeOptionMandatory())
    .addOption(ownerPasswordFile().makeOptionMandatory())
    .addOption(flag('--bond <eth>', 'ETH to bond').argParser(parseAmount).makeOptionMandatory())
    .addOption(flag('--fund-operator <eth>', 'ETH to send to the operator key for gas').argParser(parseAmountOrZero).default(0n, '0'))
    .addOption(
      flag('--address <multiaddr>', 'where other operators reach this one; the peer id is added')
        .argParser(parseMultiaddr)
        .makeOptionMandatory(),
    )
    .addOption(json())
    .addHelpText(
      'after',
      [
        '',
        'Example:',
        '  openpools register --data-dir ~/.openpools --password-file ~/.openpools-password \\',
        '    --rpc-url http://127.0.0.1:8545 --directory 0x… --owner-key-file owner.json --owner-password-file owner.password \\',
        '    --bond 10.5 --fund-operator 0.5 --address /ip4/203.0.113.7/tcp/9000',
      ].join('\n'),
    )
    .action(async (flags: Flags) => {
      const { register } = await import('../../register.ts')
      const registered = await register(flags)
      const text = [
        `Registered as producer ${registered.producerId}.`,
        `owner        ${registered.owner}`,
        `operator     ${registered.operator}`,
        `signing key  ${registered.signingKey}`,
        `address      ${registered.address}`,
        `transaction  ${registered.transaction}`,
        '',
        'Start it with "openpools run --help".',
      ]
      print({ json: flags.json === true, text, data: registered })
    })
}
