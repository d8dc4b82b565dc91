// The one door: finds a Node that is new enough, installs what the lock file names, and runs the target.
// Plain JavaScript without dependencies, because it runs before anything is installed, on the machine's own Node.
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { constants } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)))
const LOCK = join(ROOT, 'package-lock.json')
const STAMP = join(ROOT, 'node_modules', '.installed-from')
/** Path of the Node that was got for this folder. */
const GOT = join(ROOT, 'node_modules', '.node')
const NEEDED = [22, 13]
const FALLBACK = 'node@24'

function isNewEnough(version) {
  const [major, minor] = version.replace('v', '').split('.').map(Number)
  return major > NEEDED[0] || (major === NEEDED[0] && minor >= NEEDED[1])
}

function fail(action, error) {
  console.error(`setup: ${action} failed: ${error.message?.split('\n')[0] ?? error}`)
  process.exit(1)
}

/**
 * Says what goes on once it takes longer than a moment, and for how long: in place on a terminal, else a line every few seconds.
 * Returns what ends it.
 */
function showProgress(what) {
  const start = Date.now()
  const seconds = () => Math.round((Date.now() - start) / 1000)
  const terminal = process.stderr.isTTY === true
  let said = false
  const say = () => {
    const time = said ? ` ${seconds()} s` : ''
    process.stderr.write(terminal ? `\r\x1b[2Ksetup: ${what} …${time}` : `setup: ${what} …${time}\n`)
    said = true
  }
  let timer = setTimeout(() => {
    say()
    timer = setInterval(say, terminal ? 1_000 : 5_000)
  }, 1_000)
  return () => {
    clearInterval(timer)
    if (said) process.stderr.write(`${terminal ? '\r\x1b[2K' : ''}setup: ${what}: ended after ${seconds()} s\n`)
  }
}

/** Runs a program to its end, showing that it goes on. Resolves with what it printed; rejects with its last words. */
function run(what, program, args, options) {
  const end = showProgress(what)
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    let words = ''
    child.stdout.on('data', (chunk) => {
      output += chunk
    })
    child.stderr.on('data', (chunk) => {
      words = (words + chunk).slice(-4_000)
    })
    child.on('error', (error) => {
      end()
      reject(error)
    })
    child.on('close', (code) => {
      end()
      if (code === 0) return resolve(output.trim())
      if (words !== '') console.error(words.trimEnd())
      reject(new Error(`${program} ended with status ${code}`))
    })
  })
}

/** The Node that an earlier run got, as long as it is there. */
function knownNode() {
  if (!existsSync(GOT)) return undefined
  const path = readFileSync(GOT, 'utf8')
  const { status, stdout } = spawnSync(path, ['--version'], { encoding: 'utf8' })
  return status === 0 && isNewEnough(stdout.trim()) ? path : undefined
}

/** Absolute path of a Node binary of at least version NEEDED. */
async function findNode() {
  if (isNewEnough(process.version)) return process.execPath
  const known = knownNode()
  if (known !== undefined) return known
  const what = `Node ${process.version} is older than ${NEEDED.join('.')}: getting ${FALLBACK} from the package registry`
  try {
    return await run(what, 'npx', ['--yes', `--package=${FALLBACK}`, '--', 'node', '-p', 'process.execPath'])
  } catch (error) {
    return fail(`getting ${FALLBACK} (install Node ${NEEDED.join('.')} or newer yourself, or check the network)`, error)
  }
}

async function install(env) {
  const wanted = createHash('sha256').update(readFileSync(LOCK)).digest('hex')
  if (existsSync(STAMP) && readFileSync(STAMP, 'utf8') === wanted) return
  try {
    await run('installing dependencies (only this once)', 'npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], { cwd: ROOT, env })
  } catch (error) {
    fail('npm ci', error)
  }
  writeFileSync(STAMP, wanted)
}

const [target, ...args] = process.argv.slice(2)
if (target === undefined) fail('starting', new Error('expected the path of a script to run, got nothing'))
const node = await findNode()
// npm itself must run under the same Node: native packages are chosen by its version.
const env = { ...process.env, PATH: `${dirname(node)}:${process.env.PATH}` }
await install(env)
if (node !== process.execPath) writeFileSync(GOT, node)
const child = spawn(node, ['--disable-warning=ExperimentalWarning', '--import', 'tsx', join(ROOT, target), ...args], {
  env,
  stdio: 'inherit',
})
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  // A terminal delivers Ctrl-C to the child as well; this process only waits for it.
  process.on(signal, () => signal !== 'SIGINT' && child.kill(signal))
}
child.on('exit', (code, signal) => process.exit(code ?? 128 + constants.signals[signal]))
