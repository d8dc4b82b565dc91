import type { Command } from 'commander'
import { fileErrorSentence } from './file-errors.ts'

/** How every program of the project speaks of what went wrong: one line, its name first, and no stack trace. */
export function speakAs(program: Command): Command {
  return program
    .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, `${program.name()}: `)) })
    .showHelpAfterError('See --help of the command for examples.')
}

/** Runs a program; ends the process with status 1 and one line on stderr when it fails, whatever was begun by then. */
export async function runProgram(program: Command, args: readonly string[] = process.argv.slice(2)): Promise<void> {
  try {
    await program.parseAsync(args, { from: 'user' })
  } catch (error) {
    // Loaded only now: what decodes contracts' refusals is large, and help is to come at once.
    const { explain } = await import('../../adapters/chain/revert.ts')
    process.stderr.write(`${program.name()}: ${fileErrorSentence(error) ?? explain(error)}\n`)
    process.exit(1)
  }
}
