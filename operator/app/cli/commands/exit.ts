import { Command, InvalidArgumentError } from 'commander'
import type { Address, ProducerId } from '../../../core/ids.ts'
import type { ExitOutcome, ExitRequest, Sent } from '../../exit.ts'
import type { Leaving } from '../../leaving.ts'
import { directory, flag, json, ownerKeyFile, ownerPasswordFile, parsePath, parseProducerId, rpcUrl } from '../flags.ts'
import { print } from '../print.ts'

type Flags = {
  readonly rpcUrl: string
  readonly directory: Address
  readonly dataDir?: string
  readonly producer?: ProducerId
  readonly ownerKeyFile?: string
  readonly ownerPasswordFile?: string
  readonly status?: true
  readonly withdraw?: true
  readonly repay?: true
  readonly wait?: true
  readonly json?: true
}

export function exitCommand(): Command {
  return new Command('exit')
    .summary('leave, and take the bond back')
    .description(
      [
        'Asks for the exit of a producer, by its owner: for good, and of all its seats. There is no way back but to register anew.',
        'From then on it gets no new seat. It still answers for those it has, until each is handed over to another producer (or its',
        'pool ends) and its tail is over, and until its points are settled up to then and no debt is left. Keep the operator running',
        'meanwhile: it hands over the keys and settles. Then "--withdraw" gives the bond to the owner, as bETH, which "npm run stake',
        '-- withdraw" turns into ETH.',
        'It can be asked again at any time: what is done is not done again, and it shows how far the producer is.',
      ].join('\n'),
    )
    .addOption(rpcUrl())
    .addOption(directory())
    .addOption(flag('--data-dir <folder>', "folder of the operator's keys, to know which producer it is").argParser(parsePath))
    .addOption(flag('--producer <id>', 'its number, where the folder is not at hand').argParser(parseProducerId))
    .addOption(ownerKeyFile())
    .addOption(ownerPasswordFile())
    .addOption(flag('--status', 'only show how far it is; needs no key').conflicts(['withdraw', 'repay']))
    .addOption(flag('--withdraw', 'take the bond, once everything else is done'))
    .addOption(flag('--repay', "before that, repay debt in points by burning the owner's CDT"))
    .addOption(flag('--wait', 'stay, and show what changes, until the bond can be taken'))
    .addOption(json())
    .addHelpText(
      'after',
      [
        '',
        'Example:',
        '  openpools exit --data-dir ~/.openpools --rpc-url http://127.0.0.1:8545 --directory 0x… \\',
        '    --owner-key-file owner.json --owner-password-file owner.password',
        '  openpools exit --status   --producer 3 --rpc-url … --directory 0x…',
        '  openpools exit --withdraw --producer 3 --rpc-url … --directory 0x… --owner-key-file … --owner-password-file …',
      ].join('\n'),
    )
    .action(async (flags: Flags) => {
      const request = requestOf(flags)
      const { leave } = await import('../../exit.ts')
      const { leavingTable } = await import('../../leaving-table.ts')
      const asJson = flags.json === true
      const show = (leaving: Leaving): void => {
        if (!asJson) print({ json: false, text: [...leavingTable(leaving), ''], data: {} })
      }
      const outcome = await leave(request, show)
      print({ json: asJson, text: [...sentTexts(outcome), ...leavingTable(outcome)], data: outcome })
    })
}

function requestOf(flags: Flags): ExitRequest {
  const { dataDir, producer, ownerKeyFile: keyFile, ownerPasswordFile: ownerPassword, status, withdraw, repay, wait } = flags
  if (dataDir === undefined && producer === undefined) throw new InvalidArgumentError('which producer? Give --data-dir or --producer')
  const mayName = status === true || (keyFile !== undefined && ownerPassword !== undefined)
  if (!mayName)
    throw new InvalidArgumentError("the owner's key is needed: give --owner-key-file and --owner-password-file, or --status only to look")
  if (repay && !withdraw) throw new InvalidArgumentError('--repay goes with --withdraw')
  return {
    rpcUrl: flags.rpcUrl,
    directory: flags.directory,
    producer: producer !== undefined ? { id: producer } : { dataDir: dataDir ?? '' },
    ...(status || keyFile === undefined || ownerPassword === undefined ? {} : { owner: { keyFile, passwordFile: ownerPassword } }),
    withdraw: withdraw === true,
    repay: repay === true,
    wait: wait === true,
  }
}

const SENT: Readonly<Record<Sent['what'], string>> = {
  exit: 'Asked to leave',
  repay: 'Repaid the debt',
  withdraw: 'Took the bond, as bETH of the owner',
}

const sentTexts = ({ sent }: ExitOutcome): readonly string[] =>
  sent.map(({ what, transaction }) => `${SENT[what]} (transaction ${transaction}).`)
