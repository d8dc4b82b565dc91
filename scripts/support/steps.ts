import { spawn } from 'node:child_process'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))))
const BIN = join(ROOT, 'node_modules', '.bin')

type Command = readonly [string, ...string[]]
/** One command, or several that run side by side; these are shown one after the other, those that failed last. */
export type Step = { readonly name: string; readonly command: Command } | { readonly name: string; readonly commands: readonly Command[] }

type Ended = { readonly command: Command; readonly status: number; readonly output: Buffer }

/** Runs one command of the project's own tools to its end; what it says is kept, or shown at once. */
function run(command: Command, kept: boolean): Promise<Ended> {
  const [program, ...args] = command
  const env = { ...process.env, PATH: `${BIN}:${dirname(process.execPath)}:${process.env.PATH}` }
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd: ROOT, env, stdio: ['ignore', kept ? 'pipe' : 'inherit', kept ? 'pipe' : 'inherit'] })
    const output: Buffer[] = []
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: Buffer) => output.push(chunk))
    child.on('error', reject)
    child.on('close', (code) => resolve({ command, status: code ?? 1, output: Buffer.concat(output) }))
  })
}

/** Runs the steps in order, says how long each took, and exits with the first failure's status. */
export async function runAll(steps: readonly Step[]): Promise<void> {
  for (const step of steps) {
    const start = performance.now()
    const ended =
      'command' in step ? [await run(step.command, false)] : await Promise.all(step.commands.map((command) => run(command, true)))
    const seconds = ((performance.now() - start) / 1000).toFixed(1)
    const failed = ended.filter(({ status }) => status !== 0)
    for (const { output } of [...ended.filter(({ status }) => status === 0), ...failed]) process.stdout.write(output)
    for (const { command, status } of failed) console.log(`status ${status}: ${command.join(' ')}`)
    console.log(`${failed.length === 0 ? 'ok  ' : 'FAIL'} ${step.name} (${seconds} s)`)
    if (failed[0] !== undefined) process.exit(failed[0].status)
  }
}
