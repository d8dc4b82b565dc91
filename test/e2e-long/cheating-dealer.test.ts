import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { PublicKey } from '../../operator/core/ids.ts'
import {
  BlockProducers__factory,
  BondEther__factory,
  DkgDisputes__factory,
  PoolRegistry__factory,
  Rotations__factory,
} from '../../typechain-types/index.ts'
import { OperatorVault } from '../support/operator-vault.ts'

const CHEATER = 0
const HONEST = [1, 2, 3]
const LIAR = fileURLToPath(new URL('../support/cheating-operator.ts', import.meta.url))
const POOL = 1n
const FUNDED = 4n
/** `IDkgDisputes.Fault`. */
const SHARE = 5n

describe('a key generation of four operators, one of which deals falsely', { timeout: 900_000 }, () => {
  let vault: OperatorVault

  before(async () => {
    vault = await OperatorVault.start({ slotsBehind: 150, paceMs: 200, programs: new Map([[CHEATER, LIAR]]) })
  })
  after(() => vault?.stop())

  it('A33 is caught by the one that it cheated, judged on chain and slashed, and the others make the key without its dealing', async () => {
    const { provider, addresses, operators } = vault
    const producers = BlockProducers__factory.connect(addresses.blockProducers, provider)
    const bonds = BondEther__factory.connect(addresses.bondEther, provider)
    const disputes = DkgDisputes__factory.connect(addresses.dkgDisputes, provider)
    const registry = PoolRegistry__factory.connect(addresses.poolRegistry, provider)
    const rotations = Rotations__factory.connect(addresses.rotations, provider)
    const cheater = BigInt((await operators[CHEATER]?.status())?.producerId ?? 0)
    const bondOf = async (id: bigint) => (await producers.producer(id)).shares
    const before = await bondOf(cheater)

    await vault.deposit()
    const honest = await Promise.all(
      HONEST.map((place) => operators[place]?.until('a key', ({ pools: [pool] }) => pool?.publicKey != null && pool.share, 240)),
    )
    await vault.until('a verdict', async () => (await disputes.queryFilter(disputes.filters.DealerConvicted())).length > 0)

    // Judged once, by one of the others.
    const [conviction, ...more] = await disputes.queryFilter(disputes.filters.DealerConvicted())
    assert.ok(conviction !== undefined && more.length === 0)
    assert.deepEqual([conviction.args.poolId, conviction.args.producerId, conviction.args.fault], [POOL, cheater, SHARE])
    assert.deepEqual(await disputes.queryFilter(disputes.filters.ComplainerCharged()), [])
    const { from: reporter } = await conviction.getTransaction()
    const reporters = new Set(honest.map((status) => status?.operator.toLowerCase()))
    assert.ok(reporters.has(reporter.toLowerCase()), `judged by ${reporter}`)

    // It paid a seat, a part of it to who reported it.
    const [slash, ...others] = await producers.queryFilter(producers.filters.ProducerSlashed())
    assert.ok(slash !== undefined && others.length === 0)
    const { shares, reporterShares } = slash.args
    assert.deepEqual([slash.args.producerId, slash.args.reporter.toLowerCase()], [cheater, reporter.toLowerCase()])
    assert.equal(await bondOf(cheater), before - shares)
    assert.equal(await bonds.sharesOf(reporter), reporterShares)
    assert.ok(reporterShares > 0n && reporterShares < shares)

    // The pool has its key all the same, of the three that dealt truly, and is funded.
    const { publicKey } = await registry.pool(POOL)
    assert.deepEqual(new Set(honest.map((status) => status?.pools[0]?.publicKey)), new Set([publicKey]))
    for (const status of honest) assert.ok(status?.ceremonies.some(({ faults }) => faults.some(({ rule }) => rule === 'BAD_SHARE')))
    const round = Number((await registry.pool(POOL)).round)
    assert.ok(await vault.signs({ poolId: Number(POOL), round, key: publicKey as PublicKey, places: HONEST }))
    await vault.until('the pool funded', async () => (await registry.pool(POOL)).state === FUNDED)
    // And another vault is called for, as soon as a keeper sees that it is.
    const requests = () => rotations.queryFilter(rotations.filters.RotationRequested())
    await vault.until('another vault asked for', async () => (await requests()).length > 0)
    const [asked] = await requests()
    assert.equal(asked?.args.poolId, POOL)
  })
})
