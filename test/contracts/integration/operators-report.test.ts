import { expect } from 'chai'
import { parseEther } from 'ethers'
import { network } from 'hardhat'
import { createDecoder } from '../../../operator/adapters/chain/decode.ts'
import { readDeployment } from '../../../operator/adapters/chain/deployment.ts'
import type { ChainEvent } from '../../../operator/core/events.ts'
import type { Hex, ProducerId } from '../../../operator/core/ids.ts'
import { toAddress, toEpoch, toPublicKey, toRoot, toSlot, toValidatorIndex } from '../../../operator/core/parse.ts'
import type { Reference } from '../../../operator/core/report.ts'
import { reportDigest } from '../../../operator/protocol/messages/report.ts'
import { standingNow, standingOf } from '../../../operator/protocol/state/coverage.ts'
import { deriveReport, NO_DUTIES } from '../../../operator/protocol/state/derive-report.ts'
import { emptyState, foldEvents } from '../../../operator/protocol/state/network-state.ts'
import { nextSettlement } from '../../../operator/protocol/state/settlement.ts'
import { at } from '../../support/at.ts'
import { SLOTS_PER_EPOCH } from '../../support/beacon-prover.ts'
import { FULL, type NetworkLife, startLife } from '../../support/network-life.ts'
import { BOND, STAKER } from '../../support/network-reports.ts'

/** Reports as operators derive them from the contracts' own events, committed, finalized and settled on chain. */
describe('Reports that operators derive', function () {
  this.timeout(600_000)
  let life: NetworkLife
  let deployment: Awaited<ReturnType<typeof readDeployment>>

  before(async () => {
    life = await startLife(await network.create())
    deployment = await readDeployment(
      async (to, data) => (await life.ethers.provider.call({ to, data })) as Hex,
      toAddress(life.addresses.directory),
    )
    await life.startPeriod(0)
  })
  after(() => life.prover.close())

  /** The network's state, folded from all logs. */
  const state = async () => {
    const decode = createDecoder(deployment.addresses)
    const timestamps = new Map<number, number>()
    const events: ChainEvent[] = []
    for (const log of await life.ethers.provider.getLogs({ fromBlock: 0, toBlock: 'latest' })) {
      const timestamp = timestamps.get(log.blockNumber) ?? (await life.ethers.provider.getBlock(log.blockNumber))?.timestamp ?? 0
      timestamps.set(log.blockNumber, timestamp)
      const position = { blockNumber: log.blockNumber, blockHash: toRoot(log.blockHash), timestamp, logIndex: log.index }
      const event = decode({ address: toAddress(log.address), topics: [...log.topics] as Hex[], data: log.data as Hex, at: position })
      if (event !== undefined) events.push(event)
    }
    return foldEvents(emptyState(), events)
  }

  /** Derives the report of an epoch that has just begun, as a member of the committee would. */
  const derive = async (epoch: number) => {
    // A draft of the test's own makes the reference known to EIP-4788 and EIP-2935.
    const draft = await life.draftReport({ epoch })
    const { header } = draft.proven.state
    const reference: Reference = {
      epoch: toEpoch(epoch),
      header: {
        root: toRoot(draft.proven.blockRoot),
        slot: toSlot(header.slot),
        proposerIndex: toValidatorIndex(header.proposerIndex),
        parentRoot: toRoot(header.parentRoot),
        stateRoot: toRoot(header.stateRoot),
        bodyRoot: toRoot(header.bodyRoot),
      },
      executionBlock: Number(draft.report.executionBlock),
      timestamp: life.timeOfSlot(epoch * SLOTS_PER_EPOCH),
      balances: new Map(
        life.validators.map(({ publicKey, balance = 0, activationEligibilityEpoch }) => [
          toPublicKey(publicKey),
          { balance: BigInt(balance), eligible: activationEligibilityEpoch !== undefined },
        ]),
      ),
      arrivals: { staker: await life.arrivalsOf(STAKER), bond: await life.arrivalsOf(BOND) },
    }
    const seen = await state()
    const { parameters } = deployment
    const input = { reference, duties: NO_DUTIES, poolsPerPage: 2048, parameters }
    const derived = deriveReport({ ...input, state: seen, standing: standingNow(seen, reference.epoch) })
    return { draft, derived, again: async (id: number) => againAs(id, await state(), input) }
  }
  type Input = Omit<Parameters<typeof deriveReport>[0], 'state' | 'standing'>
  /** The same report, derived when it has been committed already. */
  const againAs = (id: number, seen: Awaited<ReturnType<typeof state>>, input: Input) => {
    const made = seen.commitments.get(id)
    if (made === undefined) throw new Error(`expected commitment ${id}`)
    return { digest: made.digest, derived: deriveReport({ ...input, state: seen, standing: standingOf(made) }) }
  }
  /** Commits what operators derive for the next epoch, one member absent, and finalizes it. */
  const round = async () => {
    const epoch = (Math.floor((await life.epochNow()) / 4) + 1) * 4
    const period = Number(await life.periods.periodAt(epoch))
    if (!(await life.periods.committee(period).then(Boolean, () => false))) await life.startPeriod(period)
    await life.toSlot(epoch * SLOTS_PER_EPOCH + 6)
    const { draft, derived, again } = await derive(epoch)
    const { report } = derived
    const domain = { chainId: 31337n, contract: deployment.addresses.stateCommitments }
    const onChain = {
      ...report,
      epoch: BigInt(report.epoch),
      referenceSlot: BigInt(report.referenceSlot),
      pageRoots: [...report.pageRoots],
    }
    expect(await life.stateCommitments.digest(onChain)).to.equal(reportDigest(domain, report))
    const plain = { ...onChain, executionBlock: BigInt(report.executionBlock), history: BigInt(report.history) }
    const signed = {
      ...(await life.sign(plain, [1])),
      report: plain,
      pages: derived.pages,
      proven: draft.proven,
      executionHash: draft.executionHash,
    }
    await life.commit(signed)
    const id = await life.stateCommitments.commitmentCount()
    const since = await again(Number(id))
    expect(since.digest).to.equal(reportDigest(domain, report))
    expect(since.derived).to.deep.equal(derived)
    for (const page of derived.pages.keys()) await life.postPage(id, signed, page)
    await life.finalize(id)
    return { id, derived, epoch }
  }
  const settleAll = async () => {
    const seen = await state()
    for (const { id } of life.producers) {
      const found = nextSettlement(seen, Number(id) as ProducerId)
      if (found === undefined) continue
      const proofs = found.proofs.map(({ word, branch, pageRoots }) => ({ word, branch: [...branch], pageRoots: [...pageRoots] }))
      await life.rewards.settle(id, proofs)
    }
  }
  const deltasOf = (page: string) =>
    page
      .slice(2)
      .match(/.{8}/g)
      ?.map((digits) => Number.parseInt(digits, 16) | 0) ?? []

  it('are what the contract takes; their points are earned, settled and paid', async () => {
    await life.stakingPool.connect(at(life.people, 0)).deposit({ value: parseEther('100') })
    const pools = [await life.makePool(), await life.makePool()]
    for (const pool of pools) life.change(pool, { balance: FULL + 1_000 })

    const first = await round()
    const ceremonies = deltasOf(at(first.derived.pages, first.derived.pages.length - 1))
    // Two vaults of four, each with a leader.
    expect(ceremonies.reduce((sum, delta) => sum + delta, 0)).to.equal(2 * (3 + 3) * Number(life.parameters.dkgReward))
    const second = await round()
    const signing = deltasOf(at(second.derived.pages, second.derived.pages.length - 1))
    const base = Number(life.parameters.baseReward)
    const [committee] = await life.periods.committee(await life.periods.periodAt(first.epoch))
    expect(committee.map((id) => signing[Number(id) - 1])).to.deep.equal([base, -base, base])
    expect(signing.filter((delta) => delta !== 0).length).to.equal(3)

    await settleAll()
    const rates = [(await life.rewards.report(1)).rate, (await life.rewards.report(2)).rate]
    const settled = await state()
    for (const { id, owner } of life.producers) {
      const [gained, signed] = [BigInt(ceremonies[Number(id) - 1] ?? 0), BigInt(signing[Number(id) - 1] ?? 0)]
      const due = gained * at(rates, 0) + (signed > 0n ? signed * at(rates, 1) : 0n)
      const debt = signed < 0n ? -signed : 0n
      expect(await life.cdt.balanceOf(owner), `producer ${id}`).to.equal(due)
      expect(await life.rewards.debtOf(id)).to.equal(debt)
      expect(settled.settlements.get(Number(id) as ProducerId)).to.deep.equal({ report: 2, debt, minted: due })
      expect(nextSettlement(settled, Number(id) as ProducerId)).to.equal(undefined)
    }
    await round()
    await settleAll()
    expect((await life.rewards.account(at(committee, 0))).settled).to.equal(3n)
  })
})
