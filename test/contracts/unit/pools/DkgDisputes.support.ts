import { bls12_381 } from '@noble/curves/bls12-381.js'
import { parseEther } from 'ethers'
import { network } from 'hardhat'
import type { Hex } from '../../../../operator/core/ids.ts'
import type { Complaint, Dealing } from '../../../../operator/core/ports/ceremony.ts'
import { bigIntToBytes } from '../../../../operator/protocol/bls/scalars.ts'
import { BeaconProver } from '../../../support/beacon-prover.ts'
import { makeCeremony } from '../../../support/dealings.ts'
import { openPools, type RegisteredProducer } from '../../../support/open-pools.ts'
import { draw } from '../../../support/pools.ts'

export const connection = await network.create()
export const { networkHelpers } = connection
export const eth = parseEther
export const prover = new BeaconProver()
export const SMALL = { seatAllocation: eth('1.2'), effectiveStake: eth('2.4') }
const MILLI = eth('0.001')
const HALF_MILLI = MILLI / 2n
/** What a proven dealer and a false complainer pay, as `lossesBy` tells it. */
export const [OF_A_SEAT, OF_A_PENALTY] = [1_200n, 100n]
export const FAULT = { shape: 1n, 'join-key': 2n, commitment: 3n, 'share-range': 4n, share: 5n, 'constant-term': 6n } as const
export const DEALER = 2
export const MEMBER = 3

/** Pool 1 in its ceremony, with nine producers. */
export async function drawn(by = prover, { count = 9, ...choices } = {}) {
  const pools = await openPools(connection, { ...SMALL, ...choices })
  const producers: RegisteredProducer[] = []
  for (let i = 0; i < count; i++) producers.push(await pools.register(eth('2.6')))
  await pools.toEpoch(pools.parameters.firstPeriod)
  await pools.stakingPool.deposit({ value: eth('64') })
  await pools.poolRegistry.requestPool()
  await draw({ pools, prover: by })
  const members = [...(await pools.poolRegistry.vault(1n))]
  const world = { pools, producers }
  return { ...world, members, made: makeCeremony(world, { poolId: 1n, members }) }
}
export const load = () => networkHelpers.loadFixture(small)
export const small = () => drawn()
export type World = Awaited<ReturnType<typeof drawn>>
export type Made = World['made']

export const dispute = ({ pools }: World, made: Made, dealing: Dealing, complaint: Complaint) =>
  pools.dkgDisputes.disputeDealing(made.ceremony, made.signed(dealing), made.signedComplaint(dealing, complaint))

/** A point on the curve that is not in the subgroup. */
export function outsideSubgroup(): Hex {
  const { Fp } = bls12_381.fields
  for (let x = 1n; ; x++) {
    const square = Fp.add(Fp.pow(x, 3n), 4n)
    if (Fp.pow(square, (Fp.ORDER - 1n) / 2n) !== 1n) continue
    const y = Fp.sqrt(square)
    if (bls12_381.G1.Point.fromAffine({ x, y }).isTorsionFree()) continue
    return `0x${[x, y].map((value) => value.toString(16).padStart(128, '0')).join('')}`
  }
}
export const OFF_CURVE: Hex = `0x${'00'.repeat(63)}05${'00'.repeat(63)}05`

/** The dealing with another share for the member, or other bytes in its place. */
export const withShare = (made: Made, dealing: Dealing, share = scalarBytes(77n)): Dealing => ({
  ...dealing,
  ciphertexts: dealing.ciphertexts.with(MEMBER - 1, made.encrypt(dealing.dealer, MEMBER, share)),
})
/** Who loses part of its bond by a call, by id, in milliether: penalties are whole ones, and rounding is far below. */
export async function lossesBy({ pools, producers }: Pick<World, 'pools' | 'producers'>, act: () => Promise<unknown>) {
  const bonds = () => Promise.all(producers.map(({ id }) => pools.blockProducers.bondValue(id)))
  const before = await bonds()
  await act()
  const after = await bonds()
  const lost = producers.map(({ id }, place) => [id, ((before[place] ?? 0n) - (after[place] ?? 0n) + HALF_MILLI) / MILLI] as const)
  return Object.fromEntries(lost.filter(([, milliether]) => milliether !== 0n))
}

export const scalarBytes = (value: bigint) => bigIntToBytes(value)

after(() => prover.close())
