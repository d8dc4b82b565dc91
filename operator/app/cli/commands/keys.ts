import { Command } from 'commander'
import { dataDir, flag, json, passwordFile } from '../flags.ts'
import { print } from '../print.ts'

type Flags = { readonly dataDir: string; readonly passwordFile: string; readonly json?: true; readonly lightKdf?: true }

export function keysCommand(): Command {
  return new Command('keys')
    .summary('make the keys of a new operator')
    .description(
      [
        'Makes the keys of a new operator, encrypted with the password, in files that only you can read:',
        'the operator key (sends transactions and signs messages), the signing key (BLS), and the identity among peers.',
        'It never overwrites keys. Back the folder up before you register; never run one folder on two machines.',
      ].join('\n'),
    )
    .addOption(dataDir())
    .addOption(passwordFile())
    .addOption(flag('--light-kdf', 'stretch the password little: quick and weak, for test networks only'))
    .addOption(json())
    .addHelpText('after', '\nExample:\n  openpools keys --data-dir ~/.openpools --password-file ~/.openpools-password')
    .action(async (flags: Flags) => {
      const { makeKeys } = await import('../../keys.ts')
      const keys = await makeKeys(flags)
      const text = [
        `operator     ${keys.operator}`,
        `signing key  ${keys.signingKey}`,
        `peer id      ${keys.peerId}`,
        '',
        `The keys are in ${flags.dataDir}. Back it up, then register with "openpools register --help".`,
      ]
      print({ json: flags.json === true, text, data: keys })
    })
}
