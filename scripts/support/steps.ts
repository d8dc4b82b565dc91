import { spawn } from 'node:child_process'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))))
const BIN = join(ROOT, 'node_modules', '.bin')

export type Step = { readonly name: string; readonly command: readonly [string, ...string[]]; readonly env?: NodeJS.ProcessEnv }

/** Runs one command of the project's own tools to its end. Resolves with its exit status. */
function run(step: Step): Promise<number> {
  const [program, ...args] = step.command
  const env = { ...process.env, ...step.env, PATH: `${BIN}:${dirname(process.execPath)}:${process.env.PATH}` }
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd: ROOT, env, stdio: ['ignore', 'inherit', 'inherit'] })
    child.on('error', reject)
    child.on('exit', (code) => resolve(code ?? 1))
  })
}

/** Runs the steps in order, says how long each took, and exits with the first failure's status. */
export async function runAll(steps: readonly Step[]): Promise<void> {
  for (const step of steps) {
    const start = performance.now()
    const status = await run(step)
    const seconds = ((performance.now() - start) / 1000).toFixed(1)
    console.log(`${status === 0 ? 'ok  ' : 'FAIL'} ${step.name} (${seconds} s)`)
    if (status !== 0) process.exit(status)
  }
}
