import { expect } from 'chai'
import { parseEther } from 'ethers'
import { network } from 'hardhat'
import { at } from '../../../support/at.ts'
import { SLOTS_PER_EPOCH } from '../../../support/beacon-prover.ts'
import { withinGas } from '../../../support/gas-bounds.ts'
import { FULL, type NetworkLife, type Pool, startLife } from '../../../support/network-life.ts'
import { BOND, contentOf, type SignedReport, STAKER } from '../../../support/network-reports.ts'

const ETH = 1_000_000_000n
const FULL_GWEI = BigInt(FULL)
/** EIP-7825: most gas of a transaction. */
const MAX_TRANSACTION_GAS = 16_777_216n
/** An eighth of a cold slot, and what copying it takes. */
const GAS_OF_A_PLACE = 1_000n

describe('Disputes', function () {
  this.timeout(600_000)
  let life: NetworkLife
  let bondPool: Pool
  let pool: Pool
  let restore: () => Promise<void>
  let epoch: number

  before(async () => {
    life = await startLife(await network.create())
    await life.startPeriod(0)
    await life.stakingPool.connect(at(life.people, 0)).deposit({ value: parseEther('100') })
    bondPool = await life.makePool()
    pool = await life.makePool()
    await life.startPeriod(1)
    await jump()
    const first = epoch
    const back = await life.checkpoint()
    restore = async () => {
      epoch = first
      await back()
    }
  })
  afterEach(() => restore())
  after(() => life.prover.close())

  /** To a slot from which the next epoch of the grid can be reported. */
  const jump = async () => {
    epoch = (Math.floor((await life.epochNow()) / 4) + 1) * 4
    await life.toSlot(epoch * SLOTS_PER_EPOCH + 6)
  }
  const refused = (call: Promise<unknown>, error: string) => expect(call).to.be.revertedWithCustomError(life.disputes, error)

  /** Disputes one entry of a commitment with what the beacon state really says. */
  const disprove = async (
    id: bigint,
    signed: SignedReport,
    accused: { kind: number; ordinal: number; index?: number; balanceIndex?: number },
  ) => {
    const { kind, ordinal } = accused
    const validator = at(signed.proven.validators, accused.index ?? pool.index)
    const balance = at(signed.proven.balances, accused.balanceIndex ?? accused.index ?? pool.index)
    return life.disputes
      .connect(at(life.people, 3))
      .disproveBalance(id, ...life.accuse(signed, kind, ordinal), signed.proven.state, validator, balance)
  }
  const judge = async (draft: { stakers?: readonly bigint[]; bonds?: readonly bigint[] }, accused = { kind: STAKER, ordinal: 0 }) => {
    const { id, signed } = await life.postReport({ epoch, ...draft })
    return { id, verdict: disprove(id, signed, accused) }
  }

  it('drops a commitment with a wrong balance, and slashes its signers out', async () => {
    const { id, signed } = await life.postReport({ epoch, stakers: [FULL_GWEI + 1n], absent: [1] })
    const [committee] = await life.periods.committee(await life.periods.periodAt(epoch))
    await expect(disprove(id, signed, { kind: STAKER, ordinal: 0 }))
      .to.emit(life.disputes, 'BalanceDisproven')
      .withArgs(id, pool.id, FULL_GWEI + 1n, FULL_GWEI, at(life.people, 3).address)
    expect((await life.stateCommitments.commitment(id)).state).to.equal(5n)
    for (const [place, member] of committee.entries()) {
      const { slashed } = await life.blockProducers.producer(member)
      expect(slashed).to.equal(place !== 1)
      expect((await life.blockProducers.bondValue(member)) === 0n).to.equal(place !== 1)
    }
    // 5 % of two bonds.
    expect(await life.bondEther.balanceOf(at(life.people, 3))).to.be.closeTo(parseEther('0.41'), 10n ** 9n)
  })

  it('A39 the slashing lifts no index', async () => {
    const index = await life.bondEther.rewardsIndex()
    const { verdict } = await judge({ stakers: [0n] })
    await verdict
    expect(await life.bondEther.rewardsIndex()).to.equal(index)
  })

  it('A28 one lie slashes once', async () => {
    const { id, signed } = await life.postReport({ epoch, stakers: [0n], bonds: [0n] })
    await disprove(id, signed, { kind: STAKER, ordinal: 0 })
    const held = await life.bondEther.balanceOf(at(life.people, 3))
    await refused(disprove(id, signed, { kind: BOND, ordinal: 0, index: bondPool.index }), 'NotDisputable')
    await life.disputes.slashSigners(id, contentOf(signed), 100)
    expect(await life.bondEther.balanceOf(at(life.people, 3))).to.equal(held)
  })

  it('A15 in the last block of the window, and while pages are missing', async () => {
    const { id, signed } = await life.postReport({ epoch, stakers: [0n] })
    const { windowEnds } = await life.stateCommitments.commitment(id)
    await life.networkHelpers.time.increaseTo(windowEnds - 2n)
    await life.networkHelpers.time.setNextBlockTimestamp(windowEnds - 1n)
    await disprove(id, signed, { kind: STAKER, ordinal: 0 })
    await restore()
    const open = await life.draftReport({ epoch, stakers: [0n] })
    await life.commit(open)
    await disprove(1n, open, { kind: STAKER, ordinal: 0 })
    expect((await life.stateCommitments.commitment(1)).state).to.equal(5n)
  })

  it('not of what is final, dropped or unknown', async () => {
    const { id, signed } = await life.postReport({ epoch, stakers: [FULL_GWEI + 1n] })
    await life.finalize(id)
    await refused(disprove(id, signed, { kind: STAKER, ordinal: 0 }), 'NotDisputable')
    await refused(disprove(id + 1n, signed, { kind: STAKER, ordinal: 0 }), 'NotDisputable')
    await refused(life.disputes.slashSigners(id, contentOf(signed), 1), 'NoVerdict')
  })

  it('A20 a right balance convicts nobody, of either kind', async () => {
    const { id, signed } = await life.postReport({ epoch })
    await refused(disprove(id, signed, { kind: STAKER, ordinal: 0 }), 'NothingWrong')
    await refused(disprove(id, signed, { kind: BOND, ordinal: 0, index: bondPool.index }), 'NothingWrong')
  })

  it('only with the pool’s own validator, its own balance, its own entry', async () => {
    const { id, signed } = await life.postReport({ epoch })
    await refused(disprove(id, signed, { kind: STAKER, ordinal: 0, index: bondPool.index }), 'WrongPublicKey')
    await refused(disprove(id, signed, { kind: STAKER, ordinal: 0, index: pool.index, balanceIndex: bondPool.index }), 'WrongBalanceIndex')
    await refused(disprove(id, signed, { kind: STAKER, ordinal: 1 }), 'OrdinalOutOfRange')
    const lie = { ...signed, pages: ['0x0000000000000001', at(signed.pages, 1)] }
    await refused(disprove(id, lie, { kind: STAKER, ordinal: 0 }), 'WrongPageBranch')
    const elsewhere = await life.prover.prove({ slot: epoch * SLOTS_PER_EPOCH, validators: [...life.validators].reverse() })
    await refused(disprove(id, { ...signed, proven: elsewhere }, { kind: STAKER, ordinal: 0, index: 0 }), 'HeaderMismatch')
  })

  it('A20 a right balance with a made-up record of the validator convicts nobody', async () => {
    // As if the top-up were still on its way: then 31 ETH more would be right.
    life.change(pool, { balance: FULL - 5 })
    const { id, signed } = await life.postReport({ epoch, stakers: [FULL_GWEI - 5n] })
    const honest = at(signed.proven.validators, pool.index)
    const forged = [
      { activationEligibilityEpoch: 2n ** 64n - 1n },
      { activationEligibilityEpoch: 2n ** 64n - 1n, slashed: true },
      { withdrawalCredentials: `0x${'00'.repeat(32)}`, activationEligibilityEpoch: 2n ** 64n - 1n },
    ]
    const claim = life.accuse(signed, STAKER, 0)
    const accuse = (validator: object) =>
      life.disputes
        .connect(at(life.people, 3))
        .disproveBalance(
          id,
          ...claim,
          signed.proven.state,
          { ...honest, validator: { ...honest.validator, ...validator } },
          at(signed.proven.balances, pool.index),
        )
    for (const record of forged) await refused(accuse(record), 'LeafNotProven')
    await refused(accuse({}), 'NothingWrong')
    expect((await life.stateCommitments.commitment(id)).state).to.equal(2n)
  })

  it('A38 judges a pool by the same rule at each step of its top-up', async () => {
    const poolId = await life.requestPool()
    await life.drawVault(poolId)
    const fresh = await life.completeDkg(poolId)
    const accused = { kind: STAKER, ordinal: 1, index: fresh.index }
    const steps = async (name: string, right: bigint, wrong: readonly bigint[]) => {
      const back = await life.checkpoint()
      if ((await life.epochNow()) >= (await life.periods.startOf(2))) await life.startPeriod(2)
      await jump()
      const again = await life.checkpoint()
      await expect((await judge({ stakers: [FULL_GWEI, right] }, accused)).verdict, name).to.be.revertedWithCustomError(
        life.disputes,
        'NothingWrong',
      )
      for (const balance of wrong) {
        await again()
        const { verdict } = await judge({ stakers: [FULL_GWEI, balance] }, accused)
        await verdict
      }
      await back()
    }
    await steps('registered', ETH, [0n, 32n * ETH])
    // A stranger's deposit to the registered key is nobody's until the pool is funded.
    life.change(fresh, { balance: Number(5n * ETH) })
    await steps('registered, with a gift', ETH, [5n * ETH])
    life.change(fresh, { balance: Number(ETH) })
    await life.fund(fresh)
    await steps('queued', 32n * ETH, [ETH, 31n * ETH])
    life.change(fresh, { balance: Number(33n * ETH) })
    await steps('a gift came first', 33n * ETH, [64n * ETH])
    life.change(fresh, { balance: FULL })
    await steps('credited', 32n * ETH, [63n * ETH])
    life.change(fresh, { activationEligibilityEpoch: await life.epochNow(), balance: FULL - 5 })
    await steps('eligible', 32n * ETH - 5n, [63n * ETH - 5n])
  })

  it('A01 a front-run key counts 1 ETH until it is proven, and nothing from then on', async () => {
    const poolId = await life.requestPool()
    await life.drawVault(poolId)
    const fresh = await life.completeDkg(poolId)
    life.change(fresh, { withdrawalCredentials: `0x01${'00'.repeat(11)}${'66'.repeat(20)}` })
    const { timestamp, state, validator } = await life.proveValidator(fresh)
    await life.poolRegistry.reportFrontRun(poolId, timestamp, state, validator)
    const { closedAt } = await life.poolRegistry.pool(poolId)
    const before = Math.floor((Number(closedAt) - Number(life.parameters.genesisTime)) / 60 / SLOTS_PER_EPOCH / 4) * 4
    await life.startPeriod(2)
    await jump()
    expect(before).to.be.lessThan(epoch)
    const accused = { kind: STAKER, ordinal: 1, index: fresh.index }
    const again = await life.checkpoint()
    await expect((await judge({ stakers: [FULL_GWEI, 0n] }, accused)).verdict).to.be.revertedWithCustomError(life.disputes, 'NothingWrong')
    await again()
    await (await judge({ stakers: [FULL_GWEI, ETH] }, accused)).verdict
  })

  it('proves the same of a state whose slots around the boundary were missed', async () => {
    const { id, signed } = await life.postReport({ epoch, slot: epoch * SLOTS_PER_EPOCH - 2, stakers: [1n] })
    await disprove(id, signed, { kind: STAKER, ordinal: 0 })
    expect((await life.stateCommitments.commitment(id)).state).to.equal(5n)
  })
})

describe('Disputes: a committee too large for one transaction', function () {
  this.timeout(600_000)

  it('A36 A28 is slashed in parts, by anyone, each member once, for the one who proved it', async () => {
    const life = await startLife(await network.create(), { committeeSize: 20n }, 42)
    await life.startPeriod(0)
    await life.stakingPool.connect(at(life.people, 0)).deposit({ value: parseEther('40') })
    while ((await life.blockProducers.totalBondValue()) >= parseEther('32') * ((await life.poolRegistry.bondPoolCount()) + 1n))
      await life.makePool()
    const pool = await life.makePool()
    expect(pool.kind).to.equal(STAKER)
    await life.startPeriod(Number(await life.periods.periodAt(await life.epochNow())) + 1)
    const epoch = (Math.floor((await life.epochNow()) / 4) + 1) * 4
    await life.toSlot(epoch * SLOTS_PER_EPOCH + 6)
    // A member absent costs its key read and subtracted, any member its place in the list read: both grow with the committee.
    const gasWith = async (absent: readonly number[]) => {
      const { report, proven, absent: bits, absentKeys, signature } = await life.draftReport({ epoch, absent })
      return life.stateCommitments.commitState.estimateGas(report, proven.state.header, bits, [...absentKeys], signature)
    }
    const whole = await gasWith([])
    const perAbsent = ((await gasWith([0, 3, 6, 9, 12, 15])) - whole) / 6n
    withinGas(whole + 2048n * GAS_OF_A_PLACE + 682n * perAbsent, MAX_TRANSACTION_GAS)

    const { id, signed } = await life.postReport({ epoch, stakers: [1n], absent: [0, 17] })
    const reporter = at(life.people, 3)
    const { validators, balances, state } = signed.proven
    const proof = [state, at(validators, pool.index), at(balances, pool.index)] as const
    const receipt = await (await life.disputes.connect(reporter).disproveBalance(id, ...life.accuse(signed, STAKER, 0), ...proof)).wait()
    withinGas(receipt?.gasUsed, MAX_TRANSACTION_GAS)
    expect((await life.disputes.verdict(id)).judged).to.equal(16n)
    await life.disputes.slashSigners(id, contentOf(signed), 2)
    await life.disputes.slashSigners(id, contentOf(signed), 100)
    await life.disputes.slashSigners(id, contentOf(signed), 100)
    const [committee] = await life.periods.committee(await life.periods.periodAt(epoch))
    for (const [place, member] of committee.entries()) {
      expect((await life.blockProducers.producer(member)).slashed).to.equal(place !== 0 && place !== 17)
    }
    expect(await life.bondEther.balanceOf(reporter)).to.be.closeTo((parseEther('4.1') * 18n) / 20n, 10n ** 10n)
    await life.prover.close()
  })
})
