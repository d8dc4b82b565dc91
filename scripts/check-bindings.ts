import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

// Bindings are committed. A build lists them in the order in which contracts happen to be compiled, so lines are compared as sets.
const FOLDER = 'typechain-types'
const git = (...args: readonly string[]): string => execFileSync('git', args, { encoding: 'utf8' })
const sorted = (text: string): string => text.split('\n').sort().join('\n')

const changed = git('diff', '--name-only', '--', FOLDER).split('\n').filter(Boolean)
const untracked = git('ls-files', '--others', '--exclude-standard', '--', FOLDER).split('\n').filter(Boolean)
const stale = changed.filter((file) => sorted(git('show', `HEAD:${file}`)) !== sorted(readFileSync(file, 'utf8')))
if (stale.length + untracked.length > 0) {
  console.error(`${FOLDER} is not what the contracts give: commit the new ${[...stale, ...untracked].join(', ')}`)
  process.exit(1)
}
if (changed.length > 0) git('checkout', '--', ...changed)
