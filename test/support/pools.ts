import type { SecretKey } from '@chainsafe/blst'
import { ByteVectorType, ContainerType, UintBigintType } from '@chainsafe/ssz'
import { concat, getBytes, keccak256 } from 'ethers'
import { type BeaconProver, type ProvenState, SLOTS_PER_EPOCH, type ValidatorRequest } from './beacon-prover.ts'
import { aggregateG2, dkgDigest, g1, g2, newKey } from './block-producers.ts'
import type { OpenPools, RegisteredProducer } from './open-pools.ts'
import { randomBytes } from './randomness.ts'

const DepositMessage = new ContainerType({
  pubkey: new ByteVectorType(48),
  withdrawalCredentials: new ByteVectorType(32),
  amount: new UintBigintType(8),
})
const ForkData = new ContainerType({ currentVersion: new ByteVectorType(4), genesisValidatorsRoot: new ByteVectorType(32) })
const SigningData = new ContainerType({ objectRoot: new ByteVectorType(32), domain: new ByteVectorType(32) })

export const randomRoot = (): string => `0x${randomBytes(32).toString('hex')}`
export const compressed = (key: SecretKey): string => `0x${key.toPublicKey().toHex(true).replace(/^0x/, '')}`

/** What a validator's key signs for a deposit, made with the consensus spec's containers. */
export function depositSigningRoot(deposit: {
  publicKey: string
  credentials: string
  gwei: bigint
  genesisForkVersion: string
}): Uint8Array {
  const forkData = { currentVersion: getBytes(deposit.genesisForkVersion), genesisValidatorsRoot: new Uint8Array(32) }
  const domain = Uint8Array.from([3, 0, 0, 0, ...ForkData.hashTreeRoot(forkData).subarray(0, 28)])
  const message = {
    pubkey: getBytes(deposit.publicKey),
    withdrawalCredentials: getBytes(deposit.credentials),
    amount: deposit.gwei,
  }
  return SigningData.hashTreeRoot({ objectRoot: DepositMessage.hashTreeRoot(message), domain })
}

/** A state of the first slot after `epoch`, in which that epoch's mix is `mix`, known to EIP-4788; time moves to it. */
export async function proveMix(
  { pools, prover }: { readonly pools: OpenPools; readonly prover: BeaconProver },
  { epoch, mix = randomRoot(), stateEpoch = epoch + 1 }: { readonly epoch: number; readonly mix?: string; readonly stateEpoch?: number },
) {
  const proven = await prover.prove({ slot: stateEpoch * SLOTS_PER_EPOCH, mixes: [{ epoch, mix }] })
  const [randao] = proven.mixes
  if (randao === undefined) throw new Error('expected a proven mix, got none')
  const timestamp = await pools.anchor(proven)
  if ((await pools.now()) < pools.timeOfSlot(stateEpoch * SLOTS_PER_EPOCH)) await pools.toEpoch(stateEpoch)
  return { mix, timestamp, state: proven.state, randao }
}

/** A state of the present slot with this validator at index 1, known to EIP-4788. */
export async function proveValidator(
  { pools, prover }: { readonly pools: OpenPools; readonly prover: BeaconProver },
  validator: ValidatorRequest,
  slot?: number,
) {
  const present = slot ?? Math.ceil(((await pools.now()) - pools.timeOfSlot(0)) / (pools.timeOfSlot(1) - pools.timeOfSlot(0)))
  const stranger = { publicKey: compressed(newKey()), withdrawalCredentials: randomRoot() }
  const proven: ProvenState = await prover.prove({ slot: present, validators: [stranger, validator, stranger] })
  const [, proof] = proven.validators
  if (proof === undefined) throw new Error('expected a proven validator, got none')
  return { timestamp: await pools.anchor(proven), state: proven.state, proof }
}

/** Proves that a staker pool's key is on the beacon chain with our credentials, and funds it. */
export async function fund(world: { readonly pools: OpenPools; readonly prover: BeaconProver }, poolId: bigint, publicKey: string) {
  const withdrawalCredentials = await world.pools.stakingPool.withdrawalCredentials(0)
  const { timestamp, state, proof } = await proveValidator(world, { publicKey, withdrawalCredentials })
  return world.pools.poolRegistry.fundPool(poolId, timestamp, state, proof)
}

/** Carries out the oldest draw and all others of its seed epoch, under a mix of choice. */
export async function draw(world: { readonly pools: OpenPools; readonly prover: BeaconProver }, mix?: string) {
  const { vaultDraws } = world.pools
  const drawId = await vaultDraws.nextDrawId()
  const [{ poolId }, seedEpoch] = [await vaultDraws.draw(drawId), await vaultDraws.seedEpochOf(drawId)]
  const proof = await proveMix(world, { epoch: Number(seedEpoch), ...(mix === undefined ? {} : { mix }) })
  const transaction = await vaultDraws.selectVaults(proof.timestamp, proof.state, proof.randao, 128n)
  return { ...proof, poolId, transaction }
}

export type DkgChoices = {
  readonly groupSecret?: SecretKey
  /** Member indices (from 1) that sign. */
  readonly signers?: readonly number[]
  readonly credentials?: string
  readonly gwei?: bigint
  readonly round?: number
  readonly signedPool?: number
  /** Compressed, in vault order. */
  readonly publicShares?: readonly string[]
}

/** A ceremony's result as the vault would sign it: the key is whole in the test's hand, the chain can't tell. */
export async function dkgResult(
  { pools, producers, poolId }: { readonly pools: OpenPools; readonly producers: readonly RegisteredProducer[]; readonly poolId: bigint },
  choices: DkgChoices = {},
) {
  const { groupSecret = newKey(), signers = [1, 2, 3, 4], gwei = 1_000_000_000n } = choices
  const { kind, round } = await pools.poolRegistry.pool(poolId)
  const vault = await pools.poolRegistry.vault(poolId)
  const publicShares = concat(choices.publicShares ?? vault.map(() => randomBytes(48)))
  const transcriptRoot = randomRoot()
  const groupKey = g1(groupSecret.toPublicKey())
  const publicKey = compressed(groupSecret)
  const digest = dkgDigest(pools.judgeOf('poolRegistry'), {
    poolId: choices.signedPool ?? Number(poolId),
    round: choices.round ?? Number(round),
    groupKey,
    publicSharesHash: keccak256(publicShares),
    transcriptRoot,
  })
  const keyOf = (index: number) => {
    const member = producers.find(({ id }) => id === vault[index - 1])
    if (member === undefined) throw new Error(`expected member ${index} of pool ${poolId} among the producers`)
    return member.key
  }
  const credentials = choices.credentials ?? (await pools.stakingPool.withdrawalCredentials(kind))
  const { genesisForkVersion } = pools.parameters
  const result = {
    groupKey,
    depositSignature: g2(groupSecret.sign(depositSigningRoot({ publicKey, credentials, gwei, genesisForkVersion }))),
    publicShares,
    transcriptRoot,
    participation: signers.reduce((bits, index) => bits | (1n << BigInt(index - 1)), 0n),
    aggregateSignature: aggregateG2(signers.map((index) => keyOf(index).sign(digest))),
  }
  return { result, publicKey, groupSecret }
}
