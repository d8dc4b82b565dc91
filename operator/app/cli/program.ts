import { Command } from 'commander'
import { ceremonyCommand } from './commands/ceremony.ts'
import { exitCommand } from './commands/exit.ts'
import { keysCommand } from './commands/keys.ts'
import { registerCommand } from './commands/register.ts'
import { runCommand } from './commands/run.ts'
import { statusCommand } from './commands/status.ts'
import { speakAs } from './voice.ts'

/** The `openpools` program. Commands load what they need when they run, so that help and mistakes are answered at once. */
export function createProgram(): Command {
  const program = speakAs(new Command('openpools')).description(
    [
      'An operator of Open Pools: bonds ETH, keeps shares of validators’ keys together with others, and does their duties.',
      '',
      'Three steps: "keys" makes the keys, "register" bonds ETH under them, "run" does the work. "status" shows how it goes and',
      '"ceremony" the making of keys; "exit" leaves and takes the bond back.',
      'Each flag can be an environment variable instead: --rpc-url is OPENPOOLS_RPC_URL, and so on.',
    ].join('\n'),
  )
  // Settings of the program are inherited by commands only when they are made through it.
  for (const command of [keysCommand(), registerCommand(), runCommand(), statusCommand(), ceremonyCommand(), exitCommand()]) {
    program.addCommand(command.copyInheritedSettings(program))
  }
  return program
}
