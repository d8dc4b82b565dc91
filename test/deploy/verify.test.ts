import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { encryptKeystoreJson, HDNodeWallet, type JsonRpcProvider, type TransactionRequest, Wallet } from 'ethers'
import { readBeaconChain } from '../../deploy/beacon-facts.ts'
import { deployOpenPools } from '../../deploy/deploy.ts'
import { devnet } from '../../deploy/parameters/devnet.ts'
import { CONTRACT_ORDER, type DeploymentAddresses } from '../../deploy/plan.ts'
import { verifyDeployment } from '../../deploy/verify/verify.ts'
import { type RunningChain, startChain } from '../../devnet/chain/start-chain.ts'
import { connectProvider } from '../../operator/adapters/chain/wallet.ts'

const PASSWORD = 'correct horse battery staple'

type Ended = { readonly code: number; readonly stdout: string; readonly stderr: string }

function run(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ended> {
  return new Promise((resolve) => {
    const options = { env: { ...process.env, ...env } }
    execFile(process.execPath, ['--import', 'tsx', 'deploy/main.ts', ...args], options, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    )
  })
}

/** Replaces what one of the deployment's transactions creates. */
class Tampering extends Wallet {
  tamper: (data: string, place: number) => string = (data) => data
  #place = 0

  override sendTransaction(transaction: TransactionRequest) {
    return super.sendTransaction({ ...transaction, data: this.tamper(String(transaction.data), this.#place++) })
  }
}

describe('a deployment on a real chain', { timeout: 120_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'open-pools-verify-'))
  const [keyFile, passwordFile] = [join(folder, 'key.json'), join(folder, 'password')]
  let chain: RunningChain
  let provider: JsonRpcProvider
  let addresses: DeploymentAddresses
  const wallet = (place: number) => HDNodeWallet.fromPhrase(chain.mnemonic, undefined, `m/44'/60'/0'/0/${place}`)

  before(async () => {
    chain = await startChain()
    provider = await connectProvider(chain.executionUrl)
    const { address, privateKey } = wallet(0)
    writeFileSync(keyFile, await encryptKeystoreJson({ address, privateKey }, PASSWORD, { scrypt: { N: 1_024 } }))
    writeFileSync(passwordFile, `${PASSWORD}\n`)
  })
  after(async () => {
    provider?.destroy()
    await chain?.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  it('is made with an encrypted wallet and flags from the environment', async () => {
    const { code, stdout, stderr } = await run([], {
      OPENPOOLS_RPC_URL: chain.executionUrl,
      OPENPOOLS_BEACON_URL: chain.beaconUrl,
      OPENPOOLS_KEY_FILE: keyFile,
      OPENPOOLS_PASSWORD_FILE: passwordFile,
    })
    assert.equal(code, 0, stderr)
    addresses = JSON.parse(stdout) as DeploymentAddresses
    assert.deepEqual(Object.keys(addresses).sort(), [...CONTRACT_ORDER].sort())
  })

  it('is verified, with every contract and every parameter in a table', async () => {
    const flags = ['--rpc', chain.executionUrl, '--directory', addresses.directory, '--beacon-url', chain.beaconUrl]
    const { code, stdout, stderr } = await run(['verify', ...flags])
    assert.equal(code, 0, stdout + stderr)
    for (const name of CONTRACT_ORDER) assert.match(stdout, new RegExp(`^${name} +${addresses[name]} +0x[0-9a-f]{64} +as compiled$`, 'm'))
    assert.match(stdout, /^effectiveStake +24 ETH$/m)
    assert.match(stdout, /^reporterShare +5 %$/m)
    assert.match(stdout, /^slotsPerEpoch +4 slots$/m)
    const { parameters } = JSON.parse((await run(['verify', ...flags, '--json'])).stdout) as { readonly parameters: Record<string, string> }
    for (const name of Object.keys(parameters)) assert.match(stdout, new RegExp(`^${name} `, 'm'))
    assert.equal(parameters.effectiveStake, String(devnet.effectiveStake))
  })

  it('is not found where there is none', async () => {
    for (const other of [addresses.bondEther, `0x${'11'.repeat(20)}`]) {
      const { code, stderr } = await run(['verify', '--rpc-url', chain.executionUrl, '--directory', other])
      assert.equal(code, 1)
      assert.match(stderr, /^deploy verify: expected the directory of a deployment of this source at 0x[0-9a-fA-F]{40}, found none\n$/)
    }
  })

  it('fails when one contract is another, or was created with other arguments', async () => {
    const beacon = await readBeaconChain(chain.beaconUrl)
    const parameters = { ...beacon.facts, ...devnet, firstPeriod: 1_000n }
    const signer = new Tampering(wallet(1).privateKey, provider)
    const [vault, queue] = [CONTRACT_ORDER.indexOf('stakerVault'), CONTRACT_ORDER.indexOf('withdrawalQueue')]
    const created: string[] = []
    signer.tamper = (data, place) => {
      created.push(data)
      // A vault that was told of another contract: the same code. A queue that is no queue at all.
      if (place === vault) return data.slice(0, -40) + '11'.repeat(20)
      return place === queue ? (created[CONTRACT_ORDER.indexOf('bondEther')] ?? '') : data
    }
    const { directory } = await deployOpenPools({ signer, parameters, layouts: beacon.layouts })
    const { contracts } = await verifyDeployment(provider, await directory.getAddress())
    const faulty = Object.fromEntries(
      contracts.filter(({ faults }) => faults.length > 0).map(({ name, faults }) => [name, faults.join('; ')]),
    )
    assert.deepEqual(Object.keys(faulty).sort(), ['stakerVault', 'withdrawalQueue'])
    assert.match(faulty.stakerVault ?? '', /^it was not created by this source/)
    assert.match(faulty.withdrawalQueue ?? '', /its code is not this source’s/)
    const { code, stdout, stderr } = await run(['verify', '--rpc-url', chain.executionUrl, '--directory', await directory.getAddress()])
    assert.equal(code, 1)
    assert.match(stdout, /^stakerVault .*it was not created by this source/m)
    assert.match(stderr, /^deploy verify: this is not what this source deploys: /)
  })

  it('is refused before anything is sent: with parameters out of range, or an account too poor', async () => {
    const beacon = await readBeaconChain(chain.beaconUrl)
    const parameters = { ...beacon.facts, ...devnet, vaultSize: 3n, firstPeriod: 1_000n }
    const signer = wallet(1).connect(provider)
    const nonce = await signer.getNonce()
    const message = /^deploying directory failed: the contract refused: parameter vaultSize is 3, outside 4 to 128/
    await assert.rejects(deployOpenPools({ signer, parameters, layouts: beacon.layouts }), { code: 'DEPLOYMENT_FAILED', message })
    const poor = Wallet.createRandom(provider)
    await assert.rejects(deployOpenPools({ signer: poor, parameters, layouts: beacon.layouts }), {
      code: 'TOO_POOR',
      message: /holds 0 ETH, .*fund it/,
    })
    assert.equal(await signer.getNonce(), nonce)
  })
})
