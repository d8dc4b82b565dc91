import { expect } from 'chai'
import { type ContractTransactionResponse, parseEther, Wallet } from 'ethers'
import { network } from 'hardhat'
import { SLOTS_PER_EPOCH } from '../../support/beacon-prover.ts'
import { g1, newKey, proofOfPossession } from '../../support/block-producers.ts'
import { at, type NetworkLife, type Pool, STAKER, startLife } from '../../support/network-life.ts'

/** Most gas of each step with a vault of 4, a committee of 3 and one page: a change that makes one dearer has to say so here. */
const CEILINGS = {
  register: 450_000n,
  deposit: 66_000n,
  requestPool: 227_000n,
  selectVault: 642_000n,
  completeDkg: 688_000n,
  fundPool: 279_000n,
  freeze: 60_000n,
  proveSeed: 91_000n,
  formCommittee: 360_000n,
  commitState: 556_000n,
  postPage: 88_000n,
  finalizeState: 210_000n,
  disproveBalance: 670_000n,
  requestWithdrawal: 110_000n,
  requestLiquidation: 124_000n,
  drawLiquidation: 214_000n,
  forceExit: 213_000n,
  proveStall: 408_000n,
  closePool: 427_000n,
  claimWithdrawal: 50_000n,
} as const
type Step = keyof typeof CEILINGS

describe('Gas', function () {
  this.timeout(120_000)
  let life: NetworkLife
  let pool: Pool

  const costs = async (step: Step, sending: Promise<ContractTransactionResponse>) => {
    const receipt = await (await sending).wait()
    expect(receipt?.gasUsed, step).to.be.lessThanOrEqual(CEILINGS[step])
  }

  before(async () => {
    life = await startLife(await network.create())
    await life.startPeriod(0)
    await life.stakingPool.connect(at(life.people, 0)).deposit({ value: parseEther('33') })
    await life.makePool()
  })
  after(() => life.prover.close())

  it('of a pool’s birth', async () => {
    await costs('deposit', life.stakingPool.connect(at(life.people, 1)).deposit({ value: parseEther('31') }))
    await costs('requestPool', life.poolRegistry.requestPool())
    const poolId = BigInt(await life.poolRegistry.poolCount())
    await costs('selectVault', life.drawVault(poolId))
    const made = await life.completeDkg(poolId)
    await costs('completeDkg', Promise.resolve(made.completed))
    await costs('fundPool', life.fund(made))
    const epoch = await life.epochNow()
    life.change(made, { balance: 32_000_000_000, activationEligibilityEpoch: epoch, activationEpoch: epoch })
    pool = made
  })

  it('of a period and a report', async () => {
    await life.toEpoch(await life.periods.startOf(1))
    await costs('freeze', life.periods.freeze(1))
    const seed = await life.seedAfter(Number(await life.periods.seedEpochOf(1)))
    await costs('proveSeed', life.periods.proveSeed(1, seed.timestamp, seed.state, seed.randao))
    await costs('formCommittee', life.periods.formCommittee(1, 3))
    const epoch = (Math.floor((await life.epochNow()) / 4) + 1) * 4
    await life.toSlot(epoch * SLOTS_PER_EPOCH + 6)
    const lie = await life.draftReport({ epoch, stakers: [1n] })
    const back = await life.checkpoint()
    await life.commit(lie)
    const { state, validators, balances } = lie.proven
    await costs(
      'disproveBalance',
      life.disputes.disproveBalance(1, ...life.accuse(lie, STAKER, 0), state, at(validators, pool.index), at(balances, pool.index)),
    )
    await back()
    const honest = await life.draftReport({ epoch })
    await costs('commitState', life.commit(honest))
    await costs('postPage', life.postPage(1n, honest, 0))
    await life.postPage(1n, honest, 1)
    await life.postPage(1n, honest, 2)
    await costs('finalizeState', life.finalize(1n))
  })

  it('of a withdrawal and a forced exit', async () => {
    const [alice, bob] = [at(life.people, 0), at(life.people, 1)]
    await life.bondEther.connect(alice).approve(life.withdrawalQueue, parseEther('33'))
    await life.bondEther.connect(bob).approve(life.withdrawalQueue, parseEther('31'))
    await costs('requestWithdrawal', life.withdrawalQueue.connect(alice).requestWithdrawal(parseEther('33')))
    await life.withdrawalQueue.connect(bob).requestWithdrawal(parseEther('30'))
    await costs('requestLiquidation', life.exits.requestLiquidation())
    const seed = await life.seedAfter(Number((await life.exits.draw(1)).seedEpoch))
    await costs('drawLiquidation', life.exits.drawLiquidation(1, seed.timestamp, seed.state, seed.randao))
    await life.toEpoch((await life.exits.exit(pool.id)).deadline + 1n)
    const stalled = await life.proveValidator(pool)
    await costs('forceExit', life.exits.forceExit(pool.id, { value: 1n }))
    await costs('proveStall', life.exits.proveStall(pool.id, stalled.timestamp, stalled.state, stalled.validator))
    const epoch = await life.epochNow()
    life.change(pool, { balance: 0, exitEpoch: epoch, withdrawableEpoch: epoch })
    await life.arrive(STAKER, parseEther('32'))
    const gone = await life.proveValidator(pool)
    await costs('closePool', life.exits.closePool(pool.id, gone.timestamp, gone.state, gone.validator, gone.balance))
    await life.finalize(await life.reportNow())
    await costs('claimWithdrawal', life.withdrawalQueue.connect(alice).claimWithdrawal(1))
  })

  it('of a registration', async () => {
    const owner = at(life.people, 2)
    const { address: operator } = Wallet.createRandom()
    const key = newKey()
    const possession = proofOfPossession(life.judgeOf('blockProducers'), { owner: owner.address, operator, key })
    const peer = '/ip4/203.0.113.7/tcp/12345/p2p/12D3KooWQYV9dGMFoRzNStwpXztXaBUjtPqi6aU76ZgUriHhKust'
    const { effectiveStake: value } = life.parameters
    await costs('register', life.blockProducers.connect(owner).register(operator, g1(key.toPublicKey()), possession, peer, { value }))
  })
})
