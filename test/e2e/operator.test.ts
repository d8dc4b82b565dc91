import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { encryptKeystoreJson, HDNodeWallet } from 'ethers'
import { type RunningChain, startChain } from '../../devnet/chain/start-chain.ts'
import type { ExitOutcome } from '../../operator/app/exit.ts'
import type { Registered } from '../../operator/app/register.ts'
import { OperatorProcess, openpools } from '../support/operator-process.ts'
import { Outlet } from '../support/outlet.ts'

const DEPLOY = fileURLToPath(new URL('../../deploy/main.ts', import.meta.url))
const PASSWORD = 'correct horse battery staple'
const BOND = '26'
/** Peak resident memory that an operator may have, MB. */
const MOST_MEMORY = 500
/** Time in which an operator ends after SIGTERM, ms. */
const MOST_STOPPING = 2_000

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

/** Deploys all contracts as a person does; answers the directory's address. */
async function deploy(chain: RunningChain, keyFile: string): Promise<string> {
  const flags = ['--rpc-url', chain.executionUrl, '--beacon-url', chain.beaconUrl, '--key-file', keyFile]
  const { stdout } = await promisify(execFile)(process.execPath, ['--import', import.meta.resolve('tsx'), DEPLOY, ...flags])
  return (JSON.parse(stdout) as { readonly directory: string }).directory
}

describe('operator on a real chain', { timeout: 300_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'openpools-e2e-'))
  const passwordFile = join(folder, 'password')
  const running: OperatorProcess[] = []
  let chain: RunningChain
  let beacon: Outlet
  let execution: Outlet
  let directory: string
  let ports: readonly number[]

  const wallet = (index: number) => HDNodeWallet.fromPhrase(chain.mnemonic, undefined, `m/44'/60'/0'/0/${index}`)
  const dataDir = (name: string): string => join(folder, name)
  const keys = (name: string): string[] => ['--data-dir', dataDir(name), '--password-file', passwordFile]
  const network = (): string[] => ['--rpc-url', execution.url, '--directory', directory]
  const p2p = (at: number): string => `/ip4/127.0.0.1/tcp/${ports[at]}`

  async function ownerFlags(index: number): Promise<string[]> {
    const file = join(folder, `owner-${index}.json`)
    const { address, privateKey } = wallet(index)
    writeFileSync(file, await encryptKeystoreJson({ address, privateKey }, PASSWORD, { scrypt: { N: 1_024 } }))
    return ['--owner-key-file', file, '--owner-password-file', passwordFile]
  }
  const register = async (name: string, index: number, more: readonly string[] = []) =>
    openpools(['register', ...keys(name), ...network(), ...(await ownerFlags(index)), '--bond', BOND, '--address', p2p(index), ...more])
  function run(name: string, index: number): OperatorProcess {
    const args = [...keys(name), ...network(), '--beacon-url', beacon.url, '--listen', p2p(index)]
    const operator = new OperatorProcess({ args, httpPort: ports[index + 10] ?? 0 })
    running.push(operator)
    return operator
  }

  before(async () => {
    writeFileSync(passwordFile, `${PASSWORD}\n`)
    ports = await Promise.all(Array.from({ length: 20 }, freePort))
    const made = Promise.all(['first', 'second', 'stranger'].map((name) => openpools(['keys', ...keys(name)])))
    chain = await startChain()
    ;[beacon, execution] = [new Outlet(chain.beaconUrl), new Outlet(chain.executionUrl)]
    await Promise.all([beacon.plugIn(), execution.plugIn()])
    const keyFile = join(folder, 'deployer')
    writeFileSync(keyFile, wallet(0).privateKey)
    directory = await deploy(chain, keyFile)
    for (const { status, stderr } of await made) assert.equal(status, 0, stderr)
  })

  after(async () => {
    await Promise.all(running.map((operator) => operator.stop('SIGKILL')))
    await Promise.all([beacon?.unplug(), execution?.unplug(), chain?.stop()])
    rmSync(folder, { recursive: true, force: true })
  })

  let first: OperatorProcess
  let second: OperatorProcess

  it('registers with a bond, once', async () => {
    const [one, two] = await Promise.all([
      register('first', 1, ['--fund-operator', '5', '--json']),
      register('second', 2, ['--fund-operator', '5', '--json']),
    ])
    for (const { status, stdout, stderr } of [one, two]) {
      assert.equal(status, 0, stderr)
      const registered = JSON.parse(stdout) as Registered
      assert.ok([1, 2].includes(registered.producerId))
      assert.match(registered.address, /^\/ip4\/127\.0\.0\.1\/tcp\/\d+\/p2p\/12D3Koo/)
    }
    const again = await register('first', 1)
    assert.equal(again.status, 1)
    assert.match(again.stderr, /^openpools: operator 0x[0-9a-f]{40} is registered already, as producer [12]: run it\n$/)
  })

  it('refuses a bond that is too small with the contract’s reason', async () => {
    const flags = ['register', ...keys('stranger'), ...network(), ...(await ownerFlags(3)), '--address', p2p(3)]
    const { status, stderr } = await openpools([...flags, '--bond', '2'])
    assert.equal(status, 1)
    assert.match(stderr, /^openpools: .*a bond is at least 24 ETH, this one is 2 ETH/)
    const tooGreat = await openpools([...flags, '--bond', '99999999'])
    assert.equal(tooGreat.status, 1)
    assert.match(tooGreat.stderr, /^openpools: 0x\w{40} holds \d+ ETH, less than the 99999999 ETH to send/)
  })

  it('becomes ready, meets the others and does upkeep', async () => {
    ;[first, second] = [run('first', 1), run('second', 2)]
    const [one, two] = await Promise.all([first, second].map((each) => each.until('ready', ({ ready }) => ready, 30)))
    assert.deepEqual(new Set([one?.producerId, two?.producerId]), new Set([1, 2]))
    await first.until('the other connected', ({ peersConnected, peersKnown }) => peersConnected === 1 && peersKnown === 1)
    const metrics = await first.metrics()
    assert.match(metrics, /^openpools_ready 1$/m)
    assert.match(metrics, /^openpools_endpoint_up\{endpoint="execution"\} 1$/m)
    const deadline = Date.now() + 30_000
    while (![first, second].some(({ said }) => said.includes('upkeep sent'))) {
      assert.ok(Date.now() < deadline, 'nobody sent an upkeep transaction')
      await first.until('alive', () => true)
    }
  })

  it('does not run twice from one folder, nor unregistered', async () => {
    const [twice, stranger] = [run('first', 4), run('stranger', 5)]
    assert.equal(await twice.ended, 1)
    assert.match(twice.said, /^openpools: the keys beside .* are in use by another process$/m)
    assert.equal(await stranger.ended, 1)
    assert.match(stranger.said, /^openpools: operator 0x[0-9a-f]{40} is not registered with this deployment: register it/m)
  })

  it('ends cleanly on SIGTERM and starts again', async () => {
    const { status, ms } = await second.stop()
    assert.equal(status, 0)
    assert.ok(ms < MOST_STOPPING, `stopped in ${ms} ms`)
    assert.doesNotMatch(second.said, /"level":"(error|fatal)"/)
    await first.until('the other gone', ({ peersConnected }) => peersConnected === 0)
    second = run('second', 2)
    await second.until('ready again', ({ ready, peersConnected }) => ready && peersConnected === 1, 30)
  })

  it('waits for endpoints that are down, by name, and recovers', async () => {
    await Promise.all([beacon.unplug(), execution.unplug()])
    const down = await first.until('both down', ({ ready, endpoints }) => !ready && endpoints.execution.state === 'down')
    assert.match(down.notReady.join(), /the execution client is down: .*does not answer/)
    await second.stop('SIGKILL')
    second = run('second', 2)
    const waiting = await second.until('waiting', ({ state }) => state.startsWith('waiting for the beacon node: '))
    assert.equal(waiting.ready, false)
    await beacon.plugIn()
    await second.until('waiting for the other', ({ state }) => state.startsWith('waiting for the execution client: '))
    await execution.plugIn()
    for (const each of [first, second]) await each.until('ready', ({ ready, peersConnected }) => ready && peersConnected === 1, 30)
  })

  it('shows its ceremonies, none yet', async () => {
    const { status, stdout } = await openpools(['ceremony', '--once', '--url', first.url])
    assert.deepEqual([status, stdout], [0, 'No ceremony is under way.\n\nNone has ended since this operator started.\n'])
  })

  it('leaves by the owner, and is told what keeps the bond', async () => {
    const exit = async (...more: readonly string[]) => openpools(['exit', ...keys('second').slice(0, 2), ...network(), ...more])
    const asked = await exit(...(await ownerFlags(2)))
    assert.equal(asked.status, 0, asked.stderr)
    assert.match(asked.stdout, /^Asked to leave \(transaction 0x[0-9a-f]{64}\)\.\nProducer [12] is leaving; bond 26 ETH\.$/m)
    const looked = await exit('--status', '--json')
    assert.equal((JSON.parse(looked.stdout) as ExitOutcome).standing, 'leaving')
    const early = await exit('--withdraw', ...(await ownerFlags(2)))
    assert.equal(early.status, 1)
    // Which of the two keeps it depends on where in its period the chain is by now.
    assert.match(
      early.stderr,
      /^openpools: the contract refused: (producer [12] is in the list of this period still|the points of producer [12] are settled through)/,
    )
    assert.match(
      (await exit()).stderr,
      /^openpools: the owner's key is needed: give --owner-key-file and --owner-password-file, or --status/,
    )
  })

  it('needs little memory', () => {
    for (const operator of [first, second]) assert.ok(operator.peakMb() < MOST_MEMORY, `${operator.peakMb()} MB`)
  })
})
