import { Command } from 'commander'
import { json, operatorUrl } from '../flags.ts'
import { print } from '../print.ts'

type Flags = { readonly url: string; readonly once?: true; readonly json?: true }

export function ceremonyCommand(): Command {
  return new Command('ceremony')
    .summary('show the key ceremonies of a running operator, live')
    .description(
      [
        'Shows the key generations and handovers that a running operator takes part in, as they go on: the stage, who is',
        'missing, who complained about whom and who is at fault, the time left, and why the last ones failed. Ends with Ctrl-C.',
        'Written to a file or another program, it prints whenever something has changed.',
      ].join('\n'),
    )
    .addOption(operatorUrl())
    .option('--once', 'show it once and end')
    .addOption(json().conflicts(['once']))
    .addHelpText('after', '\nExample:\n  openpools ceremony --url http://127.0.0.1:8645')
    .action(async ({ url, once, json: asJson }: Flags) => {
      const { readStatus } = await import('../../status-table.ts')
      const status = await readStatus(url)
      if (asJson || once) {
        const { ceremonyTable } = await import('../../ceremony-table.ts')
        return print({ json: asJson === true, text: ceremonyTable(status, Date.now()), data: status.ceremonies })
      }
      const { watchCeremonies } = await import('../../ceremony-watch.ts')
      await watchCeremonies({ url, first: status, screen: process.stdout })
    })
}
