import { execFileSync, spawn } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))))

/** A copy of the working tree, so that a command may change sources and builds and the project stays as it is. */
export type Workspace = {
  readonly root: string
  /** Runs one of the project's tools in it. Resolves with its status (`timeout` after `seconds`) and what it printed. */
  run(command: readonly string[], seconds: number): Promise<{ readonly status: number | 'timeout'; readonly output: string }>
  remove(): void
}

export function makeWorkspace(): Workspace {
  const root = mkdtempSync(join(tmpdir(), 'open-pools-'))
  const listed = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '-z'], { cwd: ROOT, encoding: 'utf8' })
  for (const path of listed.split('\0')) {
    if (path === '' || !existsSync(join(ROOT, path))) continue
    mkdirSync(dirname(join(root, path)), { recursive: true })
    cpSync(join(ROOT, path), join(root, path))
  }
  symlinkSync(join(ROOT, 'node_modules'), join(root, 'node_modules'))
  for (const built of ['artifacts', 'cache']) {
    if (existsSync(join(ROOT, built))) cpSync(join(ROOT, built), join(root, built), { recursive: true })
  }
  return { root, run: (command, seconds) => runIn(root, command, seconds), remove: () => rmSync(root, { recursive: true, force: true }) }
}

/** Runs one of the project's tools in a directory; see `Workspace`. */
export function runIn(root: string, command: readonly string[], seconds: number): ReturnType<Workspace['run']> {
  const [program = '', ...args] = command
  const path = `${join(ROOT, 'node_modules', '.bin')}:${dirname(process.execPath)}:${process.env.PATH}`
  return new Promise((resolve, reject) => {
    // Its own process group: a test that hangs may have children.
    const child = spawn(program, args, {
      cwd: root,
      env: { ...process.env, PATH: path },
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let output = ''
    const take = (chunk: Buffer) => {
      output = (output + chunk.toString()).slice(-200_000)
    }
    child.stdout.on('data', take)
    child.stderr.on('data', take)
    let timedOut = false
    const timer = setTimeout(() => {
      timedOut = true
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
    }, seconds * 1000)
    child.on('error', reject)
    child.on('close', (code) => {
      clearTimeout(timer)
      resolve({ status: timedOut ? 'timeout' : (code ?? 1), output })
    })
  })
}
