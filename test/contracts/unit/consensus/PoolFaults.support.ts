import { expect } from 'chai'
import { parseEther } from 'ethers'
import { network } from 'hardhat'
import { at } from '../../../support/at.ts'
import { FORK_VERSION, SLOTS_PER_EPOCH } from '../../../support/beacon-prover.ts'
import { type AttestationData, type ForkChoice, signAttestation } from '../../../support/beacon-signatures.ts'
import { g1 } from '../../../support/block-producers.ts'
import { FULL, type NetworkLife, type Pool, startLife } from '../../../support/network-life.ts'
import { GENESIS_VALIDATORS_ROOT } from '../../../support/open-pools.ts'

export const eth = parseEther
export const [ACTIVE, EXITING, CLOSED] = [4n, 5n, 6n]
export const [NONE, SIGNATURES, EXIT] = [0n, 1n, 2n]
export const FORK: ForkChoice = { forkVersion: FORK_VERSION, genesisValidatorsRoot: GENESIS_VALIDATORS_ROOT }
export const root = (byte: number) => `0x${byte.toString(16).padStart(2, '0').repeat(32)}`

export const vote = (source: number, target: number, block = 1): AttestationData => ({
  slot: target * SLOTS_PER_EPOCH,
  index: 0,
  beaconBlockRoot: root(block),
  source: { epoch: source, root: root(7) },
  target: { epoch: target, root: root(8) },
})
export let life: NetworkLife
export let bondPool: Pool
export let pool: Pool
export let other: Pool
export const reporter = () => at(life.people, 5)
export const mine = () => life.slashing.connect(reporter())
export const refused = (call: Promise<unknown>, error: string) => expect(call).to.be.revertedWithCustomError(life.slashing, error)

export const accuse = (
  a: AttestationData,
  b: AttestationData,
  { of = pool, key = of.key, fork = FORK }: { readonly of?: Pool; readonly key?: Pool['key']; readonly fork?: ForkChoice } = {},
) => mine().slashAttestations(of.id, g1(key.toPublicKey()), a, signAttestation(key, a, fork), b, signAttestation(key, b, fork))
export const double = (of = pool) => accuse(vote(2, 3), vote(2, 3, 2), { of })

export const report = async (of = pool) => {
  const { timestamp, state, validator } = await life.proveValidator(of)
  return mine().reportExit(of.id, timestamp, state, validator)
}

export const show = async (of = pool) => {
  const { timestamp, state, validator, balance } = await life.proveValidator(of)
  return mine().showBalance(of.id, timestamp, state, validator, balance)
}
export const fault = (of = pool) => life.slashing.fault(of.id)
export const stateOf = async (of = pool) => (await life.poolRegistry.pool(of.id)).state
export const holders = (of = pool) => life.blockProducers.holdersOf(of.id)
export const bondOf = (id: bigint) => life.blockProducers.bondValue(id)
export const bondsOf = async (ids: readonly bigint[]) => Promise.all(ids.map(bondOf))
export const near = (actual: bigint, expected: bigint) => expect(actual).to.be.closeTo(expected, 10_000n)

/** The validator exits now, to be withdrawable so many epochs later. @returns that epoch */
export const leave = async (epochs: number, balance = FULL, changes = {}, of = pool) => {
  const epoch = await life.epochNow()
  life.change(of, { exitEpoch: epoch, withdrawableEpoch: epoch + epochs, balance, effectiveBalance: FULL, ...changes })
  return epoch + epochs
}

/** The first slot of an epoch is over, and the next proof is of it or a later one of the same epoch. */
export const enter = (epoch: number) => life.toSlot(epoch * SLOTS_PER_EPOCH + 1)
export let restore: () => Promise<void>

/** In a describe: a bond pool and two staker pools, the same before each test. */
export function useNetwork(): void {
  before(async () => {
    if (life !== undefined) return
    life = await startLife(await network.create())
    await life.startPeriod(0)
    await life.stakingPool.connect(at(life.people, 0)).deposit({ value: eth('106') })
    bondPool = await life.makePool()
    pool = await life.makePool()
    other = await life.makePool()
    restore = await life.checkpoint()
  })
  afterEach(() => restore())
}
