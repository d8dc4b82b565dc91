import { parseEther } from 'ethers'
import { at } from '../../support/at.ts'
import { SLOTS_PER_EPOCH } from '../../support/beacon-prover.ts'
import { g1, newKey, proofOfPossession } from '../../support/block-producers.ts'
import { GasSnapshot } from '../../support/gas-snapshot.ts'
import { type NetworkLife, type Pool, startLife } from '../../support/network-life.ts'
import { STAKER } from '../../support/network-reports.ts'
import { randomWallet, useSeed } from '../../support/randomness.ts'
import { steadyChain } from '../../support/steady-chain.ts'

const PRODUCERS = 7

/** Every step of the network's life in the devnet's sizes: a vault of 4 of 7, a committee of 3, one page of each. */
describe('Gas', function () {
  this.timeout(600_000)
  const gas = new GasSnapshot()
  let life: NetworkLife
  let pool: Pool

  before(async () => {
    life = await startLife(await steadyChain('gas'), {}, PRODUCERS)
    await life.startPeriod(0)
    await life.stakingPool.connect(at(life.people, 0)).deposit({ value: parseEther('33') })
    await life.makePool()
  })
  after(async () => {
    await life.prover.close()
    useSeed()
    gas.save()
  })

  it('of a pool’s birth', async () => {
    await gas.costs('deposit, first', life.stakingPool.connect(at(life.people, 1)).deposit({ value: parseEther('1') }))
    await gas.costs('deposit, repeat', life.stakingPool.connect(at(life.people, 1)).deposit({ value: parseEther('30') }))
    await gas.costs('requestPool', life.poolRegistry.requestPool())
    const poolId = BigInt(await life.poolRegistry.poolCount())
    await gas.costs('selectVaults, 4 of 7', life.drawVault(poolId))
    const made = await life.completeDkg(poolId)
    await gas.costs('completeDkg, n = 4', Promise.resolve(made.completed))
    await gas.costs('fundPool', life.fund(made))
    const epoch = await life.epochNow()
    life.change(made, { balance: 32_000_000_000, activationEligibilityEpoch: epoch, activationEpoch: epoch })
    pool = made
  })

  it('of bETH', async () => {
    const [alice, bob, carol] = [at(life.people, 0), at(life.people, 1), at(life.people, 3)]
    await gas.costs('transfer', life.bondEther.connect(alice).transfer(bob, parseEther('0.5')))
    await gas.costs('transfer, to a new holder', life.bondEther.connect(alice).transfer(carol, parseEther('0.1')))
  })

  it('of a period and a report', async () => {
    await life.toEpoch(await life.periods.startOf(1))
    await gas.costs('freeze', life.periods.freeze(1))
    const seed = await life.seedAfter(Number(await life.periods.seedEpochOf(1)))
    await gas.costs('proveSeed', life.periods.proveSeed(1, seed.timestamp, seed.state, seed.randao))
    await gas.costs('formCommittee', life.periods.formCommittee(1, 3))
    const epoch = (Math.floor((await life.epochNow()) / 4) + 1) * 4
    await life.toSlot(epoch * SLOTS_PER_EPOCH + 6)
    const lie = await life.draftReport({ epoch, stakers: [1n, 1n] })
    const back = await life.checkpoint()
    await life.commit(lie)
    const { state, validators, balances } = lie.proven
    await gas.costs(
      'disproveBalance',
      life.disputes.disproveBalance(1, ...life.accuse(lie, STAKER, 1), state, at(validators, pool.index), at(balances, pool.index)),
    )
    await back()
    const honest = await life.draftReport({ epoch })
    await gas.costs('commitState, committee of 3', life.commit(honest))
    await gas.costs('postPage', life.postPage(1n, honest, 0))
    await life.postPage(1n, honest, 1)
    await gas.costs('finalizeState, no request', life.finalize(1n))
  })

  it('of a withdrawal and a forced exit', async () => {
    const [alice, bob] = [at(life.people, 0), at(life.people, 1)]
    await life.bondEther.connect(alice).approve(life.withdrawalQueue, parseEther('100'))
    await life.bondEther.connect(bob).approve(life.withdrawalQueue, parseEther('100'))
    await gas.costs('requestWithdrawal', life.withdrawalQueue.connect(alice).requestWithdrawal(parseEther('31')))
    await life.withdrawalQueue.connect(bob).requestWithdrawal(parseEther('30'))
    await gas.costs('requestLiquidation', life.exits.requestLiquidation())
    const seed = await life.seedAfter(Number((await life.exits.draw(1)).seedEpoch))
    await gas.costs('drawLiquidation, 2 pools', life.exits.drawLiquidation(1, seed.timestamp, seed.state, seed.randao))
    await life.toEpoch((await life.exits.exit(pool.id)).deadline + 1n)
    const stalled = await life.proveValidator(pool)
    await gas.costs('forceExit', life.exits.forceExit(pool.id, { value: 1n }))
    await gas.costs('proveStall', life.exits.proveStall(pool.id, stalled.timestamp, stalled.state, stalled.validator))
    const epoch = await life.epochNow()
    life.change(pool, { balance: 0, exitEpoch: epoch, withdrawableEpoch: epoch })
    await life.arrive(STAKER, parseEther('32'))
    const gone = await life.proveValidator(pool)
    await gas.costs('closePool', life.exits.closePool(pool.id, gone.timestamp, gone.state, gone.validator, gone.balance))
    await gas.costs('finalizeState, one batch', life.finalize(await life.reportNow()))
    await gas.costs('claimWithdrawal', life.withdrawalQueue.connect(alice).claimWithdrawal(1))
  })

  it('of a registration', async () => {
    const owner = at(life.people, 2)
    const { address: operator } = randomWallet()
    const key = newKey()
    const possession = proofOfPossession(life.judgeOf('blockProducers'), { owner: owner.address, operator, key })
    const peer = '/ip4/203.0.113.7/tcp/12345/p2p/12D3KooWQYV9dGMFoRzNStwpXztXaBUjtPqi6aU76ZgUriHhKust'
    const { effectiveStake: value } = life.parameters
    await gas.costs('register', life.blockProducers.connect(owner).register(operator, g1(key.toPublicKey()), possession, peer, { value }))
  })
})
