import '../../devnet/chain/preset.ts'

import assert from 'node:assert/strict'
import { cpSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { encryptKeystoreJson, HDNodeWallet, JsonRpcProvider, NonceManager, parseEther } from 'ethers'
import { readBeaconChain } from '../../deploy/beacon-facts.ts'
import { deployOpenPools } from '../../deploy/deploy.ts'
import { devnet } from '../../deploy/parameters/devnet.ts'
import { MNEMONIC } from '../../devnet/chain/execution/constants.ts'
import { freePorts } from '../../devnet/chain/execution/ports.ts'
import { JOBS_FOLDER } from '../../operator/app/config.ts'
import { makeKeys } from '../../operator/app/keys.ts'
import type { PoolStatus } from '../../operator/app/status.ts'
import { createSigner } from '../../operator/signer/open.ts'
import { createPeerIdentity } from '../../operator/signer/peer-identity.ts'
import { StakingPool__factory } from '../../typechain-types/index.ts'
import { ForkingChain } from '../support/forking-chain.ts'
import { OperatorProcess, openpools } from '../support/operator-process.ts'

const PASSWORD = 'correct horse battery staple'
const VAULT = 4
/** All four sit in every vault; their bonds make no pool of their own. */
const CHOICES = { ...devnet, minProducers: BigInt(VAULT), effectiveStake: parseEther('4'), seatAllocation: parseEther('1') }
const BOND = '6'
const FIRST_PERIOD = 12n
const STAKER = VAULT + 1

const account = (index: number) => HDNodeWallet.fromPhrase(MNEMONIC, undefined, `m/44'/60'/0'/0/${index}`)

// Four operator processes on a real execution client and real beacon states, both driven to other branches.
describe('operators through reorganizations', { timeout: 300_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'open-pools-branches-'))
  const passwordFile = join(folder, 'password')
  const operators: OperatorProcess[] = []
  let chain: ForkingChain
  let provider: JsonRpcProvider
  let staking: ReturnType<typeof StakingPool__factory.connect>

  const homeOf = (index: number): string => join(folder, `operator-${index}`)
  const everyone = <T>(work: (index: number) => Promise<T>): Promise<T[]> =>
    Promise.all(Array.from({ length: VAULT }, (_, index) => work(index)))
  const until = async (what: string, holds: () => boolean | Promise<boolean>, seconds = 60): Promise<void> => {
    const deadline = Date.now() + seconds * 1_000
    while (!(await holds())) {
      if (Date.now() > deadline)
        assert.fail(`${what}: not within ${seconds} s\n${operators.map(({ said }) => said.slice(-1_500)).join('\n')}`)
      await sleep(50)
    }
  }
  /** Every operator's view of its pools, once it fits. */
  const views = (what: string, fits: (pools: readonly PoolStatus[]) => boolean) =>
    Promise.all(operators.map(async (operator) => (await operator.until(what, ({ pools }) => fits(pools), 90)).pools))
  const deposit = async (): Promise<void> => {
    // A manager of its own each time: what a branch took away, its nonce is free again.
    const signer = new NonceManager(account(STAKER).connect(provider))
    await staking.connect(signer).deposit({ value: parseEther('32'), gasLimit: 1_000_000n })
  }

  /** What an operator can't take back: secrets on disk, shares, and whatever its gated keys ever signed. */
  function irreversible(index: number): { readonly ceremonies: string[]; readonly shares: string[]; readonly signed: number } {
    const signer = join(homeOf(index), 'signer')
    const list = (name: string) => readdirSync(join(signer, name))
    // The operator holds the database: a copy is read.
    const copy = mkdtempSync(join(folder, 'records-'))
    for (const name of readdirSync(signer)) if (name.startsWith('protection.sqlite')) cpSync(join(signer, name), join(copy, name))
    const database = new DatabaseSync(join(copy, 'protection.sqlite'))
    const tables = ['once', 'attestations', 'blocks'].map((table) => database.prepare(`SELECT count(*) AS rows FROM ${table}`).get())
    database.close()
    return {
      ceremonies: list('ceremonies'),
      shares: list('shares'),
      signed: tables.reduce((sum, found) => sum + Number(found?.rows), 0),
    }
  }
  const NOTHING = { ceremonies: [], shares: [], signed: 0 }

  /** As `openpools keys` does for each, but for the empty job database, which takes seconds: it is made once and copied. */
  async function makeAllKeys(): Promise<void> {
    await makeKeys({ dataDir: homeOf(0), passwordFile, lightKdf: true })
    for (let index = 1; index < VAULT; index++) {
      const options = { dataDir: homeOf(index), password: PASSWORD, scryptCost: 1_024 }
      await createPeerIdentity(options)
      await createSigner(options)
      cpSync(join(homeOf(0), JOBS_FOLDER), join(homeOf(index), JOBS_FOLDER), { recursive: true })
    }
  }

  before(async () => {
    writeFileSync(passwordFile, `${PASSWORD}\n`)
    const ports = await freePorts({ host: '127.0.0.1', count: 2 * VAULT })
    const keys = (index: number) => ['--data-dir', homeOf(index), '--password-file', passwordFile]
    const made = makeAllKeys()
    chain = await ForkingChain.start({ slotsBehind: 200, paceMs: 200 })
    provider = new JsonRpcProvider(chain.executionUrl, undefined, { pollingInterval: 100 })
    const beaconChain = await readBeaconChain(chain.beaconUrl)
    const { addresses } = await deployOpenPools({
      signer: account(0).connect(provider),
      parameters: { ...beaconChain.facts, ...CHOICES, firstPeriod: FIRST_PERIOD },
      layouts: beaconChain.layouts,
    })
    staking = StakingPool__factory.connect(addresses.stakingPool, provider)
    await made
    const network = ['--rpc-url', chain.executionUrl, '--directory', addresses.directory]
    const listen = (index: number) => `/ip4/127.0.0.1/tcp/${ports[index]}`
    const registered = await everyone(async (index) => {
      const owner = account(index + 1)
      const ownerFile = join(folder, `owner-${index}.json`)
      writeFileSync(
        ownerFile,
        await encryptKeystoreJson({ address: owner.address, privateKey: owner.privateKey }, PASSWORD, { scrypt: { N: 1_024 } }),
      )
      const pays = ['--owner-key-file', ownerFile, '--owner-password-file', passwordFile, '--bond', BOND, '--fund-operator', '5']
      return openpools(['register', ...keys(index), ...network, ...pays, '--address', listen(index)])
    })
    for (const { status, stderr } of registered) assert.equal(status, 0, stderr)
    for (let index = 0; index < VAULT; index++) {
      const args = [...keys(index), ...network, '--beacon-url', chain.beaconUrl, '--listen', listen(index), '--log-level', 'debug']
      operators.push(new OperatorProcess({ args, httpPort: ports[VAULT + index] ?? 0 }))
    }
    await Promise.all(
      operators.map((operator) =>
        operator.until('running', ({ state, peersConnected }) => state === 'running' && peersConnected === VAULT - 1, 60),
      ),
    )
    await until('period 0', () => chain.slot > 4 * Number(FIRST_PERIOD))
  })

  after(async () => {
    await Promise.all(operators.map((operator) => operator.stop('SIGKILL')))
    provider?.destroy()
    await chain?.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  let common: number

  it('see a vault drawn on branch A, and do nothing that could not be undone', async () => {
    common = chain.slot
    chain.votes = false
    await deposit()
    for (const pools of await views('the vault on A', ([pool]) => pool?.phase === 'ceremony')) assert.equal(pools.length, 1)
    // Time enough for a ceremony, had one begun.
    const from = chain.slot
    await until('more of branch A', () => chain.slot >= from + 8)
    for (let index = 0; index < VAULT; index++) assert.deepEqual(irreversible(index), NOTHING)
    for (const operator of operators) assert.deepEqual((await operator.status())?.ceremonies, [])
  })

  it('follow to branch B, where there is no such vault, and still do nothing once B is final', async () => {
    const left = await chain.leaveAfter(common)
    chain.votes = true
    for (const pools of await views('no vault on B', (pools) => pools.length === 0)) assert.deepEqual(pools, [])
    await until('finality of B beyond A', () => chain.finalizedEpoch * 4 > left, 60)
    for (let index = 0; index < VAULT; index++) assert.deepEqual(irreversible(index), NOTHING)
    for (const operator of operators) {
      const { pools, ceremonies } = await operator.until('finality followed', ({ finalized }) => (finalized.epoch ?? 0) * 4 > left)
      assert.deepEqual([pools, ceremonies], [[], []])
    }
  })

  it('hold the ceremony of the vault drawn on B once that is final', async () => {
    await deposit()
    await views('the vault on B', ([pool]) => pool?.phase === 'ceremony')
    const drawn = chain.slot
    await views('the key of the vault on B', ([pool]) => pool?.publicKey != null && pool.share)
    assert.ok(
      chain.finalizedEpoch * 4 >= drawn - 4,
      `registered at slot ${chain.slot}, drawn at ${drawn}, final to epoch ${chain.finalizedEpoch}`,
    )
  })
})
