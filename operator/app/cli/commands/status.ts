import { Command } from 'commander'
import { json, operatorUrl } from '../flags.ts'
import { print } from '../print.ts'

type Flags = { readonly url: string; readonly json?: true }

export function statusCommand(): Command {
  return new Command('status')
    .summary('show how a running operator is doing')
    .description('Reads /status of a running operator: its endpoints, peers, pools, duties and what it waits for.')
    .addOption(operatorUrl())
    .addOption(json())
    .addHelpText('after', '\nExample:\n  openpools status --url http://127.0.0.1:8645')
    .action(async (flags: Flags) => {
      const { readStatus, statusTable } = await import('../../status-table.ts')
      const status = await readStatus(flags.url)
      print({ json: flags.json === true, text: statusTable(status), data: status })
    })
}
