import '../../devnet/chain/preset.ts'

import assert from 'node:assert/strict'
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { encryptKeystoreJson, HDNodeWallet, JsonRpcProvider, NonceManager, parseEther } from 'ethers'
import { readBeaconChain } from '../../deploy/beacon-facts.ts'
import { deployOpenPools } from '../../deploy/deploy.ts'
import { devnet } from '../../deploy/parameters/devnet.ts'
import type { DeploymentParameters } from '../../deploy/parameters/types.ts'
import { MNEMONIC } from '../../devnet/chain/execution/constants.ts'
import { freePorts } from '../../devnet/chain/execution/ports.ts'
import { JOBS_FOLDER } from '../../operator/app/config.ts'
import { makeKeys } from '../../operator/app/keys.ts'
import type { OperatorStatus } from '../../operator/app/status.ts'
import type { MemberIndex, PublicKey, Root } from '../../operator/core/ids.ts'
import { thresholdOf } from '../../operator/core/vault.ts'
import { verifySignature } from '../../operator/protocol/bls/signatures.ts'
import { combinePartials } from '../../operator/protocol/bls/threshold.ts'
import { readKeystore } from '../../operator/signer/keystore.ts'
import { createSigner } from '../../operator/signer/open.ts'
import { createPeerIdentity } from '../../operator/signer/peer-identity.ts'
import { signRootWith } from '../../operator/signer/signing-key.ts'
import { StakingPool__factory } from '../../typechain-types/index.ts'
import { ForkingChain } from './forking-chain.ts'
import { OperatorProcess, openpools } from './operator-process.ts'

const PASSWORD = 'correct horse battery staple'
export const VAULT_SIZE = 4
const FIRST_PERIOD = 12n
const STAKER = VAULT_SIZE + 1
const BOND = '6'
const MESSAGE = `0x${'5a'.repeat(32)}` as Root
/** Of every wait in these tests: machines may be busy. */
const MINUTES = 8

/** All four sit in every vault, in an order of its own; their bonds make no pool of their own. */
const CHOICES = { ...devnet, minProducers: BigInt(VAULT_SIZE), effectiveStake: parseEther('4'), seatAllocation: parseEther('1') }

const account = (index: number) => HDNodeWallet.fromPhrase(MNEMONIC, undefined, `m/44'/60'/0'/0/${index}`)

export type VaultOptions = {
  readonly choices?: Partial<DeploymentParameters>
  /**
   * How many slots ago genesis was: these come faster than time, one each `paceMs`. Fewer than the 256 whose mixes the beacon state
   * has: operators go by the time.
   */
  readonly slotsBehind: number
  readonly paceMs: number
  /** Programs that stand in for an operator, by its place from 0. */
  readonly programs?: ReadonlyMap<number, string>
}

/**
 * A vault of four operator processes on a real execution client and real beacon states, with all contracts. Operators go by their place, from 0.
 */
export class OperatorVault {
  readonly chain: ForkingChain
  readonly provider: JsonRpcProvider
  readonly addresses: Awaited<ReturnType<typeof deployOpenPools>>['addresses']
  readonly operators: readonly OperatorProcess[]
  readonly #folder: string

  private constructor(parts: Pick<OperatorVault, 'chain' | 'provider' | 'addresses' | 'operators'> & { readonly folder: string }) {
    this.chain = parts.chain
    this.provider = parts.provider
    this.addresses = parts.addresses
    this.operators = parts.operators
    this.#folder = parts.folder
  }

  /** Resolves when all run and period 0 has begun. */
  static async start({ choices, slotsBehind, paceMs, programs = new Map() }: VaultOptions): Promise<OperatorVault> {
    const folder = mkdtempSync(join(tmpdir(), 'open-pools-vault-'))
    const passwordFile = join(folder, 'password')
    writeFileSync(passwordFile, `${PASSWORD}\n`)
    const ports = await freePorts({ host: '127.0.0.1', count: 2 * VAULT_SIZE })
    await makeAllKeys(folder, passwordFile)
    const chain = await ForkingChain.start({ slotsBehind, paceMs })
    const provider = new JsonRpcProvider(chain.executionUrl, undefined, { pollingInterval: 100 })
    const operators: OperatorProcess[] = []
    try {
      const beaconChain = await readBeaconChain(chain.beaconUrl)
      const { addresses } = await deployOpenPools({
        signer: account(0).connect(provider),
        parameters: { ...beaconChain.facts, ...CHOICES, ...choices, firstPeriod: FIRST_PERIOD },
        layouts: beaconChain.layouts,
      })
      const network = ['--rpc-url', chain.executionUrl, '--directory', addresses.directory]
      const keys = (place: number) => ['--data-dir', homeOf(folder, place), '--password-file', passwordFile]
      const listen = (place: number) => `/ip4/127.0.0.1/tcp/${ports[place]}`
      const registering = PLACES.map((place) => register({ folder, place, args: [...keys(place), ...network, '--address', listen(place)] }))
      await Promise.all(registering)
      for (const place of PLACES) {
        const program = programs.get(place)
        const args = [...keys(place), ...network, '--beacon-url', chain.beaconUrl, '--listen', listen(place)]
        operators.push(new OperatorProcess({ args, httpPort: ports[VAULT_SIZE + place] ?? 0, ...(program !== undefined && { program }) }))
      }
      const vault = new OperatorVault({ folder, chain, provider, addresses, operators })
      await vault.statuses('all of them run', ({ state, peersConnected }) => state === 'running' && peersConnected === VAULT_SIZE - 1)
      await vault.until('period 0', () => chain.slot >= 4 * Number(FIRST_PERIOD))
      return vault
    } catch (error) {
      await Promise.all(operators.map((operator) => operator.stop('SIGKILL')))
      provider.destroy()
      await chain.stop()
      rmSync(folder, { recursive: true, force: true })
      throw error
    }
  }

  /** Whether the shares of a pool's round on these operators' disks, a threshold of them, sign with its key. */
  async signs({ poolId, round, key, places }: Signing): Promise<boolean> {
    const partials = await Promise.all(
      places.map(async (place) => {
        const path = join(sharesOf(this.#folder, place), `pool-${poolId}-round-${round}`)
        const { memberIndex } = JSON.parse(readFileSync(`${path}.json`, 'utf8')) as { readonly memberIndex: MemberIndex }
        return { index: memberIndex, signature: signRootWith(await readKeystore(`${path}.keystore.json`, PASSWORD), MESSAGE) }
      }),
    )
    return verifySignature(key, MESSAGE, combinePartials(partials, thresholdOf(VAULT_SIZE)))
  }

  /** Names of the files of an operator's shares. */
  shareFiles(place: number): readonly string[] {
    return readdirSync(sharesOf(this.#folder, place)).sort()
  }

  /** A staker deposits a pool's worth. */
  async deposit(): Promise<void> {
    const staker = new NonceManager(account(STAKER).connect(this.provider))
    await StakingPool__factory.connect(this.addresses.stakingPool, staker).deposit({ value: parseEther('32'), gasLimit: 1_000_000n })
  }

  /** Waits until something holds; fails with the operators' last words. */
  async until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
    const deadline = Date.now() + MINUTES * 60_000
    while (!(await holds())) {
      if (Date.now() > deadline)
        assert.fail(`${what}: not within ${MINUTES} minutes\n${this.operators.map(({ said }) => said.slice(-3_000)).join('\n')}`)
      await sleep(100)
    }
  }

  /** Every operator's status, once it fits. */
  statuses(what: string, fits: (status: OperatorStatus) => boolean): Promise<readonly OperatorStatus[]> {
    return Promise.all(this.operators.map((operator) => operator.until(what, fits, MINUTES * 60)))
  }

  async stop(): Promise<void> {
    await Promise.all(this.operators.map((operator) => operator.stop('SIGKILL')))
    this.provider.destroy()
    await this.chain.stop()
    rmSync(this.#folder, { recursive: true, force: true })
  }
}

type Signing = { readonly poolId: number; readonly round: number; readonly key: PublicKey; readonly places: readonly number[] }

const PLACES = Array.from({ length: VAULT_SIZE }, (_, place) => place)
const homeOf = (folder: string, place: number): string => join(folder, `operator-${place}`)
const sharesOf = (folder: string, place: number): string => join(homeOf(folder, place), 'signer', 'shares')

/** As `openpools keys` does for each, but for the empty job database, which takes seconds: it is made once and copied. */
async function makeAllKeys(folder: string, passwordFile: string): Promise<void> {
  await makeKeys({ dataDir: homeOf(folder, 0), passwordFile, lightKdf: true })
  for (const place of PLACES.slice(1)) {
    const options = { dataDir: homeOf(folder, place), password: PASSWORD, scryptCost: 1_024 }
    await createPeerIdentity(options)
    await createSigner(options)
    cpSync(join(homeOf(folder, 0), JOBS_FOLDER), join(homeOf(folder, place), JOBS_FOLDER), { recursive: true })
  }
}

/** As a person registers an operator, with an owner of its own. */
async function register({ folder, place, args }: { readonly folder: string; readonly place: number; readonly args: readonly string[] }) {
  const { address, privateKey } = account(place + 1)
  const ownerFile = join(folder, `owner-${place}.json`)
  writeFileSync(ownerFile, await encryptKeystoreJson({ address, privateKey }, PASSWORD, { scrypt: { N: 1_024 } }))
  const pays = ['--owner-key-file', ownerFile, '--owner-password-file', join(folder, 'password'), '--bond', BOND, '--fund-operator', '5']
  const { status, stderr } = await openpools(['register', ...args, ...pays])
  assert.equal(status, 0, stderr)
}
