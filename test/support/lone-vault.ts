import type { SecretKey } from '@chainsafe/blst'
import { HDNodeWallet, hexlify, type JsonRpcProvider, keccak256, NonceManager, parseEther } from 'ethers'
import { readBeaconChain } from '../../deploy/beacon-facts.ts'
import { deployOpenPools } from '../../deploy/deploy.ts'
import { devnet } from '../../deploy/parameters/devnet.ts'
import { MNEMONIC } from '../../devnet/chain/execution/constants.ts'
import type { Gwei } from '../../operator/core/ids.ts'
import { toPublicKey, toRoot } from '../../operator/core/parse.ts'
import type { BeaconNode } from '../../operator/core/ports/beacon.ts'
import {
  BlockProducers__factory,
  Periods__factory,
  PoolRegistry__factory,
  StakingPool__factory,
  StateCommitments__factory,
  VaultDraws__factory,
} from '../../typechain-types/index.ts'
import { aggregateG2, dkgDigest, g1, g2, newKey, proofOfPossession } from './block-producers.ts'
import { randomBytes, randomWallet } from './randomness.ts'

const STAKER = 0
const PRE_DEPOSIT_GWEI = 1_000_000_000n as Gwei
export const VAULT_SIZE = 4

const account = (index: number) => HDNodeWallet.fromPhrase(MNEMONIC, undefined, `m/44'/60'/0'/0/${index}`)

/**
 * A deployment on a chain that runs, in which the test holds every key: four producers that sit in every vault, a staker, and
 * the pool's key in one piece, as if it had come out of a ceremony.
 */
export async function deployLoneVault(chain: {
  readonly provider: JsonRpcProvider
  readonly beaconUrl: string
  /** Epoch of period 0. */
  readonly firstPeriod: bigint
}) {
  const { provider } = chain
  const beaconChain = await readBeaconChain(chain.beaconUrl)
  const choices = {
    ...devnet,
    minProducers: BigInt(VAULT_SIZE),
    effectiveStake: parseEther('4'),
    seatAllocation: parseEther('1'),
    ceremonyDeadline: 1_000n,
    rotationPeriod: 2_000n,
  }
  const signer = new NonceManager(account(0).connect(provider))
  const parameters = { ...beaconChain.facts, ...choices, firstPeriod: chain.firstPeriod }
  const { addresses } = await deployOpenPools({ signer, parameters, layouts: beaconChain.layouts })
  const contracts = {
    blockProducers: BlockProducers__factory.connect(addresses.blockProducers, signer),
    periods: Periods__factory.connect(addresses.periods, signer),
    poolRegistry: PoolRegistry__factory.connect(addresses.poolRegistry, signer),
    stateCommitments: StateCommitments__factory.connect(addresses.stateCommitments, signer),
    stakingPool: StakingPool__factory.connect(addresses.stakingPool, signer),
    vaultDraws: VaultDraws__factory.connect(addresses.vaultDraws, signer),
  }
  const { chainId } = await provider.getNetwork()
  const keys = new Map<bigint, SecretKey>()
  await Promise.all(
    Array.from({ length: VAULT_SIZE }, async (_, index) => {
      const owner = account(index + 1).connect(provider)
      const operator = randomWallet().address
      const key = newKey()
      const judge = { chainId, verifyingContract: addresses.blockProducers }
      const possession = proofOfPossession(judge, { owner: owner.address, operator, key })
      const registry = contracts.blockProducers.connect(owner)
      const pays = { value: parseEther('6'), gasLimit: 2_000_000n }
      await (await registry.register(operator, g1(key.toPublicKey()), possession, '/ip4/127.0.0.1/tcp/1', pays)).wait()
      keys.set(await registry.producerOf(operator), key)
    }),
  )

  /** The result of a ceremony that gave `key`, signed by the whole vault; `depositSignature` is over the protocol's credentials. */
  async function resultOf({ poolId, key, beacon }: { readonly poolId: bigint; readonly key: SecretKey; readonly beacon: BeaconNode }) {
    const { round } = await contracts.poolRegistry.pool(poolId)
    const vault = await contracts.poolRegistry.vault(poolId)
    const publicShares = hexlify(randomBytes(48 * VAULT_SIZE))
    const groupKey = g1(key.toPublicKey())
    const outcome = { poolId: Number(poolId), round: Number(round), groupKey, transcriptRoot: hexlify(randomBytes(32)) }
    const judge = { chainId, verifyingContract: addresses.poolRegistry }
    const digest = dkgDigest(judge, { ...outcome, publicSharesHash: keccak256(publicShares) })
    const depositRoot = beacon.signingRoots.deposit({
      publicKey: toPublicKey(hexlify(key.toPublicKey().toBytes())),
      withdrawalCredentials: toRoot(await contracts.stakingPool.withdrawalCredentials(STAKER)),
      amount: PRE_DEPOSIT_GWEI,
    })
    return {
      groupKey,
      depositSignature: g2(key.sign(Buffer.from(depositRoot.slice(2), 'hex'))),
      publicShares,
      transcriptRoot: outcome.transcriptRoot,
      participation: (1n << BigInt(VAULT_SIZE)) - 1n,
      aggregateSignature: aggregateG2(vault.map((id) => keyOf(id).sign(digest))),
    }
  }
  /** A producer's signing key. */
  function keyOf(id: bigint): SecretKey {
    const found = keys.get(id)
    if (found === undefined) throw new Error(`expected a producer of the test's, got ${id}`)
    return found
  }

  return { ...contracts, addresses, parameters, layouts: beaconChain.layouts, signer, resultOf, keyOf }
}
