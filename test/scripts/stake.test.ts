import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { encryptKeystoreJson, HDNodeWallet, type JsonRpcProvider } from 'ethers'
import { readBeaconChain } from '../../deploy/beacon-facts.ts'
import { deployOpenPools } from '../../deploy/deploy.ts'
import { devnet } from '../../deploy/parameters/devnet.ts'
import { type RunningChain, startChain } from '../../devnet/chain/start-chain.ts'
import { connectProvider } from '../../operator/adapters/chain/wallet.ts'

const PASSWORD = 'correct horse battery staple'
const NOWHERE = 'http://127.0.0.1:9'
const SOMEBODY = `0x${'ab'.repeat(20)}`

type Ended = { readonly code: number; readonly stdout: string; readonly stderr: string }

function stake(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ended> {
  return new Promise((resolve) => {
    const options = { env: { ...process.env, ...env } }
    execFile(process.execPath, ['--import', 'tsx', 'scripts/stake.ts', ...args], options, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    )
  })
}

async function refuses(args: readonly string[], expected: RegExp, env: Readonly<Record<string, string>> = {}): Promise<void> {
  const { code, stdout, stderr } = await stake(args, env)
  assert.equal(code, 1, `${args.join(' ')} ended with ${code}`)
  assert.match(stderr, expected)
  assert.equal(stdout, '')
  assert.doesNotMatch(stderr, /\n\s+at |\d{19}/)
}

describe('stake, wrongly used', { concurrency: 2 }, () => {
  const network = ['--rpc-url', NOWHERE, '--directory', SOMEBODY]
  const cases: readonly (readonly [args: readonly string[], expected: RegExp])[] = [
    [['dance'], /^stake: unknown command 'dance'/],
    [['deposit'], /^stake: required option '--rpc-url <url>' not specified/],
    [['deposit', '--amount', '0'], /^stake: option '--amount <eth>' argument '0' is invalid\. Expected an amount of ETH above 0/],
    [['withdraw', '--amount', 'much'], /^stake: option '--amount <eth>' argument 'much' is invalid/],
    [['claim', '--request', '0'], /^stake: .*Expected the number of a withdrawal request, from 1\./],
    [['balance', ...network, '--address', '0x12'], /^stake: .*Expected an address \(0x and 40 hex digits\)/],
    [['balance', ...network, '--address', SOMEBODY], /^stake: no execution client answers at http:\/\/127\.0\.0\.1:9/],
  ]
  for (const [args, expected] of cases) it(`says what is wrong with "${args.join(' ')}"`, () => refuses(args, expected))
})

describe('stake on a real chain', { timeout: 120_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'open-pools-stake-'))
  let chain: RunningChain
  let provider: JsonRpcProvider
  let env: Readonly<Record<string, string>>
  let address: string

  before(async () => {
    chain = await startChain()
    provider = await connectProvider(chain.executionUrl)
    const wallet = (place: number) => HDNodeWallet.fromPhrase(chain.mnemonic, undefined, `m/44'/60'/0'/0/${place}`)
    const beacon = await readBeaconChain(chain.beaconUrl)
    const parameters = { ...beacon.facts, ...devnet, firstPeriod: 1_000n }
    const { addresses } = await deployOpenPools({ signer: wallet(0).connect(provider), parameters, layouts: beacon.layouts })
    const [keyFile, passwordFile] = [join(folder, 'key.json'), join(folder, 'password')]
    const { privateKey } = wallet(1)
    address = wallet(1).address
    writeFileSync(keyFile, await encryptKeystoreJson({ address, privateKey }, PASSWORD, { scrypt: { N: 1_024 } }))
    writeFileSync(passwordFile, PASSWORD)
    env = {
      OPENPOOLS_RPC_URL: chain.executionUrl,
      OPENPOOLS_DIRECTORY: addresses.directory,
      OPENPOOLS_KEY_FILE: keyFile,
      OPENPOOLS_PASSWORD_FILE: passwordFile,
    }
  })
  after(async () => {
    provider?.destroy()
    await chain?.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  it('is refused in sentences with amounts in ETH', async () => {
    await refuses(['withdraw', '--amount', 'all'], /^stake: 0x\w{40} holds no bETH: deposit first/, env)
    await refuses(
      ['deposit', '--amount', '0.001'],
      /^stake: the contract refused: a deposit is at least 0\.01 ETH, this one is 0\.001 ETH/,
      env,
    )
    await refuses(['deposit', '--amount', '99999999999'], /^stake: 0x\w{40} holds \S+ ETH, less than the 99999999999 ETH to send/, env)
    writeFileSync(join(folder, 'empty'), '')
    await refuses(
      ['deposit', '--amount', '1', '--password-file', join(folder, 'empty')],
      /^stake: \S+empty is empty: an empty password does not open \S+key\.json/,
      env,
    )
    await refuses(
      ['claim', '--request', '7'],
      /^stake: the contract refused: there is no withdrawal request 7: none has been made yet/,
      env,
    )
    const elsewhere = ['balance', '--address', SOMEBODY, '--directory', SOMEBODY]
    await refuses(elsewhere, /^stake: expected the directory of an Open Pools deployment at 0x\w{40}, found none/, env)
    await refuses(['balance', '--address', SOMEBODY, '--rpc-url', chain.beaconUrl], /^stake: .* is the API of a beacon node; expected/, env)
  })

  it('takes a deposit and a request; people see round amounts, programs exact ones', async () => {
    const deposited = await stake(['deposit', '--amount', '0.5'], env)
    assert.match(deposited.stdout, /^deposited 0\.5 ETH; 0x\w{40} now holds 0\.5 ETH as bETH\n$/, deposited.stderr)
    const { stdout } = await stake(['balance', '--address', address, '--json'], env)
    assert.match((JSON.parse(stdout) as { readonly balance: string }).balance, /^(5|4)\d{17}$/)
    await refuses(
      ['withdraw', '--amount', '0.6'],
      /^stake: 0x\w{40} holds 0\.5 ETH as bETH, less than the 0\.6 ETH asked for: ask for less, or for "all"/,
      env,
    )
    await refuses(
      ['withdraw', '--amount', '0.000000000000000001'],
      /^stake: a withdrawal request is for at least 0\.000000001 ETH of bETH, this one is for 1 wei: ask for more/,
      env,
    )
    const requested = await stake(['withdraw', '--amount', 'all'], env)
    assert.match(
      requested.stdout,
      /^request 1 for 0\.5 ETH is queued; "claim --request 1" pays it once it is finalized\n$/,
      requested.stderr,
    )
    await refuses(
      ['claim', '--request', '1'],
      /^stake: the contract refused: withdrawal request 1 is not finalized yet \(finalized so far: none\)/,
      env,
    )
  })
})
