import assert from 'node:assert/strict'
import { readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { openpools } from '../../../support/operator-process.ts'
import { folderWithPassword } from '../../../support/passwords.ts'

const NOWHERE = 'http://127.0.0.1:9'
const DIRECTORY = `0x${'11'.repeat(20)}`

const filesOf = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true }).flatMap((entry) =>
    entry.isFile() ? [join(entry.parentPath, entry.name)] : [],
  )

describe('openpools', { concurrency: 2 }, () => {
  const { folder, passwordFile } = folderWithPassword()
  after(() => rmSync(folder, { recursive: true, force: true }))
  const keysOf = (name: string): string[] => ['--data-dir', join(folder, name), '--password-file', passwordFile]
  const network = ['--rpc-url', NOWHERE, '--directory', DIRECTORY]

  it('teaches with examples', async () => {
    const help = await openpools(['--help'])
    assert.equal(help.status, 0)
    for (const command of ['keys', 'register', 'run', 'status', 'ceremony', 'exit']) {
      assert.match(help.stdout, new RegExp(`^ {2}${command}`, 'm'))
      const own = await openpools([command, '--help'])
      assert.equal(own.status, 0)
      assert.match(own.stdout, new RegExp(`openpools ${command} --`), `no example for ${command}`)
      assert.match(own.stdout, /env: OPENPOOLS_/)
      if (command === 'keys') assert.match(own.stdout, /at least 8\s+characters/)
    }
  })

  it('says in one sentence what is wrong with the flags, with status 1', async () => {
    const cases: readonly (readonly [args: readonly string[], expected: RegExp])[] = [
      [['keys'], /^openpools: required option '--data-dir <folder>' not specified/],
      [['dance'], /^openpools: unknown command 'dance'/],
      [['keys', ...keysOf('a'), '--colour'], /^openpools: unknown option '--colour'/],
      [['register', ...keysOf('a'), ...network, '--bond', 'lots'], /'--bond <eth>' argument 'lots' is invalid\. Expected an amount of ETH/],
      [['run', ...keysOf('a'), '--rpc-url', 'localhost'], /'--rpc-url <url>' argument 'localhost' is invalid\. Expected a URL such as/],
      [['run', '--directory', '0x12'], /Expected an address \(0x and 40 hex digits\)/],
      [['run', '--listen', ':9000'], /Expected a multiaddr without a peer id, such as/],
      [['run', '--http-port', '70000'], /Expected a TCP port from 1 to 65535/],
      [['run', '--log-level', 'loud'], /Allowed choices are debug, info, warn, error/],
      [['run', '--listen', '/ip4/0.0.0.0/tcp/0'], /Expected a TCP port from 1 to 65535, got 0: others dial the port that was registered/],
      [['run', '--max-exit-fee', '0'], /'--max-exit-fee <eth>' argument '0' is invalid\. Expected an amount of ETH above 0/],
      [['keys', '--data-dir', ''], /'--data-dir <folder>' argument '' is invalid\. Expected a path/],
      [
        ['keys', '--data-dir', passwordFile, '--password-file', passwordFile],
        /^openpools: expected a folder on the way to .*, there is a file/,
      ],
      [
        ['keys', '--data-dir', '/proc/x/y', '--password-file', passwordFile],
        /^openpools: no folder can be made at \/proc\/x: its file system/,
      ],
      [
        ['keys', '--data-dir', join(folder, 'z'), '--password-file', folder],
        /^openpools: expected a password file at \/.*, there is a folder/,
      ],
      [[], /^Usage: openpools/],
    ]
    for (const [args, expected] of cases) {
      const { status, stdout, stderr } = await openpools(args)
      assert.equal(status, 1, `${args.join(' ')} ended with ${status}`)
      assert.match(stderr, expected)
      assert.equal(stdout, '')
      assert.doesNotMatch(stderr, /\n\s+at /)
    }
  })

  it('takes flags from the environment, and checks them alike', async () => {
    const { status, stderr } = await openpools(['run'], { OPENPOOLS_BEACON_URL: 'nowhere' })
    assert.equal(status, 1)
    assert.match(stderr, /'--beacon-url <url>' value 'nowhere' from env 'OPENPOOLS_BEACON_URL' is invalid/)
  })

  it('makes keys once, encrypted and for their owner only', async () => {
    const made = await openpools(['keys', ...keysOf('b'), '--json'])
    assert.equal(made.status, 0, made.stderr)
    const keys = JSON.parse(made.stdout) as Record<string, string>
    assert.match(String(keys.operator), /^0x[0-9a-f]{40}$/)
    assert.match(String(keys.signingKey), /^0x[0-9a-f]{96}$/)
    assert.match(String(keys.peerId), /^12D3Koo/)
    for (const file of filesOf(join(folder, 'b')).filter((name) => name.endsWith('.json'))) {
      assert.equal(statSync(file).mode & 0o777, 0o600, file)
      assert.doesNotMatch(readFileSync(file, 'utf8'), /private|secret/i)
    }
    const before = filesOf(join(folder, 'b')).map((file) => readFileSync(file).toString('hex'))
    const again = await openpools(['keys', ...keysOf('b')])
    assert.equal(again.status, 1)
    assert.match(again.stderr, /holds the keys of operator 0x[0-9a-f]{40} already: use another folder/)
    assert.deepEqual(
      filesOf(join(folder, 'b')).map((file) => readFileSync(file).toString('hex')),
      before,
    )
  })

  it('refuses passwords that are missing, short or wrong', async () => {
    const missing = await openpools(['keys', '--data-dir', join(folder, 'c'), '--password-file', join(folder, 'none')])
    assert.match(missing.stderr, /^openpools: expected a password file at .*none, there is none\n$/)
    const short = folderWithPassword('short')
    const refused = await openpools(['keys', '--data-dir', join(folder, 'c'), '--password-file', short.passwordFile])
    assert.match(refused.stderr, /expected a password of at least 8 characters, got 5/)
    rmSync(short.folder, { recursive: true })
    await openpools(['keys', ...keysOf('d')])
    const other = folderWithPassword('another password')
    const flags = ['--data-dir', join(folder, 'd'), '--password-file', other.passwordFile, ...network]
    const wrong = await openpools(['run', ...flags, '--beacon-url', NOWHERE])
    rmSync(other.folder, { recursive: true })
    assert.equal(wrong.status, 1)
    assert.match(wrong.stderr, /^openpools: the password does not open /)
  })

  it('does not run without keys, nor register where nobody answers', async () => {
    const none = await openpools(['run', ...keysOf('e'), ...network, '--beacon-url', NOWHERE])
    assert.equal(none.status, 1)
    assert.match(none.stderr, /^openpools: expected keys in .*, found none; create them first/)
    await openpools(['keys', ...keysOf('f')])
    const owner = ['--owner-key-file', join(folder, 'none'), '--owner-password-file', passwordFile]
    const address = ['--address', '/ip4/127.0.0.1/tcp/9000']
    const nobody = await openpools(['register', ...keysOf('f'), ...network, ...owner, '--bond', '26', ...address])
    assert.equal(nobody.status, 1)
    assert.match(nobody.stderr, /^openpools: no execution client answers at http:\/\/127\.0\.0\.1:9/)
  })

  it('says that no operator answers', async () => {
    const { status, stderr } = await openpools(['status', '--url', NOWHERE])
    assert.equal(status, 1)
    assert.match(stderr, /^openpools: expected a running operator at http:\/\/127\.0\.0\.1:9, nobody answers/)
    // Of a port that fetch itself refuses.
    const blocked = await openpools(['status', '--url', 'http://127.0.0.1:1'])
    assert.match(blocked.stderr, /nobody answers: HTTP is not spoken at this port/)
  })
})
