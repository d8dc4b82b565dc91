// The one door: finds a Node that is new enough, installs what the lock file names, and runs the target.
// Plain JavaScript without dependencies, because it runs before anything is installed, on the machine's own Node.
import { execFileSync, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { constants } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)))
const LOCK = join(ROOT, 'package-lock.json')
const STAMP = join(ROOT, 'node_modules', '.installed-from')
const NEEDED = [22, 13]
const FALLBACK = 'node@24'

function isNewEnough(version) {
  const [major, minor] = version.replace('v', '').split('.').map(Number)
  return major > NEEDED[0] || (major === NEEDED[0] && minor >= NEEDED[1])
}

function fail(action, error) {
  console.error(`open-pools: ${action} failed: ${error.message?.split('\n')[0] ?? error}`)
  process.exit(1)
}

/** Absolute path of a Node binary of at least version NEEDED. */
function findNode() {
  if (isNewEnough(process.version)) return process.execPath
  console.error(`open-pools: Node ${process.version} is older than ${NEEDED.join('.')}; using ${FALLBACK} from the package registry`)
  try {
    return execFileSync('npx', ['--yes', `--package=${FALLBACK}`, '--', 'node', '-p', 'process.execPath'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim()
  } catch (error) {
    return fail(`getting ${FALLBACK} (install Node ${NEEDED.join('.')} or newer yourself, or check the network)`, error)
  }
}

function install(env) {
  const wanted = createHash('sha256').update(readFileSync(LOCK)).digest('hex')
  if (existsSync(STAMP) && readFileSync(STAMP, 'utf8') === wanted) return
  console.error('open-pools: installing dependencies (once)')
  try {
    execFileSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], { cwd: ROOT, env, stdio: ['ignore', 'ignore', 'inherit'] })
  } catch (error) {
    fail('npm ci', error)
  }
  writeFileSync(STAMP, wanted)
}

const [target, ...args] = process.argv.slice(2)
if (target === undefined) fail('starting', new Error('expected the path of a script to run, got nothing'))
const node = findNode()
// npm itself must run under the same Node: native packages are chosen by its version.
const env = { ...process.env, PATH: `${dirname(node)}:${process.env.PATH}` }
install(env)
const child = spawn(node, ['--disable-warning=ExperimentalWarning', '--import', 'tsx', join(ROOT, target), ...args], {
  env,
  stdio: 'inherit',
})
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  // A terminal delivers Ctrl-C to the child as well; this process only waits for it.
  process.on(signal, () => signal !== 'SIGINT' && child.kill(signal))
}
child.on('exit', (code, signal) => process.exit(code ?? 128 + constants.signals[signal]))
