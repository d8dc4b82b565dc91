import { type Interface, type Result, ZeroAddress } from 'ethers'
import type { NetworkLife } from './network-life.ts'

type Told = { readonly from: string; readonly name: string; readonly args: Result }
/** Named values of the network, by what they are of: `bondEther.sharesOf.0x…` and the like. */
export type State = Map<string, string>

const STATUS = { active: '1', leaving: '2', gone: '3' }
const POOL = { requested: '1', ceremony: '2', registered: '3', funded: '4', exiting: '5', closed: '6', cancelled: '7' }
const COMMITMENT = { open: '1', pending: '2', disputed: '3', finalized: '4', dropped: '5' }
const VOTE = { open: '2' }
const ROTATION = { idle: '0', requested: '1', drawn: '2' }
const REQUEST = { waiting: 'waiting', finalized: 'finalized', claimed: 'claimed' }

/** All events of a deployment, from its first block on, in order. */
export async function readEvents(life: NetworkLife): Promise<readonly Told[]> {
  const contracts = Object.entries(life).flatMap(([name, value]) => {
    const address = (life.addresses as Readonly<Record<string, string>>)[name]
    return address === undefined ? [] : [[address.toLowerCase(), name, (value as { readonly interface: Interface }).interface] as const]
  })
  const logs = await life.ethers.provider.getLogs({ fromBlock: 0, toBlock: 'latest', address: contracts.map(([address]) => address) })
  return logs.flatMap((log) => {
    const found = contracts.find(([address]) => address === log.address.toLowerCase())
    const parsed = found?.[2].parseLog(log)
    return found === undefined || parsed == null ? [] : [{ from: found[1], name: parsed.name, args: parsed.args }]
  })
}

/** The state that events tell, and nothing else does. */
export function rebuild(events: readonly Told[], addresses: Readonly<Record<string, string>>): State {
  const sums = new Map<string, bigint>()
  const words: State = new Map()
  const add = (key: string, amount: bigint) => sums.set(key, (sums.get(key) ?? 0n) + amount)
  const take = (key: string, amount: bigint) => add(key, -amount)
  const set = (key: string, value: unknown) => words.set(key, String(value))
  const list: (bigint | undefined)[] = []
  /** What shares that bore a loss were worth: their loss is in the profit recognised next. */
  const burns: bigint[] = []
  let isFee = false

  for (const { from, name, args: a } of events) {
    switch (`${from}.${name}`) {
      case 'bondEther.SharesMinted':
        add(`bondEther.sharesOf.${a.to}`, a.shares)
        add('bondEther.totalShares', a.shares)
        // A fee is a part of a gain that is in the pot already.
        if (isFee || a.to === addresses.cdtStaking) isFee = false
        else for (const pot of ['bondEther.totalPooledEther', 'stakingPool.buffered']) add(pot, a.pooledEther)
        break
      case 'bondEther.SharesBurned':
        take(`bondEther.sharesOf.${a.from}`, a.shares)
        take('bondEther.totalShares', a.shares)
        take('bondEther.totalPooledEther', a.pooledEther)
        burns.push(a.pooledEther)
        break
      case 'bondEther.TransferShares':
        take(`bondEther.sharesOf.${a.from}`, a.shares)
        add(`bondEther.sharesOf.${a.to}`, a.shares)
        break
      case 'bondEther.ProfitRecognised':
        add('bondEther.totalPooledEther', a.profit)
        for (const burned of [a.coverSharesBurned, a.bondSharesBurned])
          if (burned > 0n) add('bondEther.totalPooledEther', burns.pop() ?? 0n)
        break
      case 'stakingPool.Collected':
        add('stakingPool.buffered', a.amount)
        set(`stakingPool.collected.${a.kind}`, a.total)
        break
      case 'stakingPool.BeaconDeposit':
        take('stakingPool.buffered', a.amount)
        break
      case 'stakingPool.WithdrawalsPaid':
        take('stakingPool.buffered', a.amount)
        break
      case 'stakingPool.ReservationChanged':
        add(`stakingPool.reservation.${a.poolId}`, a.change)
        set('stakingPool.reserved', a.reserved)
        break
      case 'stakingPool.ReportBooked':
        set(`stakingPool.recognised.${a.kind}`, a.recognised)
        break
      case 'stakingPool.FeeTaken':
        set('stakingPool.recognisedMaximum', a.maximum)
        break
      case 'withdrawalQueue.WithdrawalRequested':
        set('withdrawalQueue.lastRequestId', a.requestId)
        set(`withdrawalQueue.request.${a.requestId}`, `${a.amount} ${REQUEST.waiting}`)
        break
      case 'withdrawalQueue.WithdrawalsFinalized':
        set('withdrawalQueue.lastFinalizedId', a.lastId)
        for (let id = a.firstId; id <= a.lastId; id++) {
          const key = `withdrawalQueue.request.${id}`
          set(key, words.get(key)?.replace(REQUEST.waiting, REQUEST.finalized))
        }
        break
      case 'withdrawalQueue.WithdrawalClaimed': {
        const key = `withdrawalQueue.request.${a.requestId}`
        set(key, words.get(key)?.replace(REQUEST.finalized, REQUEST.claimed))
        break
      }
      case 'withdrawalQueue.Transfer':
        if (a.to === ZeroAddress) words.delete(`withdrawalQueue.ownerOf.${a.tokenId}`)
        else set(`withdrawalQueue.ownerOf.${a.tokenId}`, a.to)
        break
      case 'blockProducers.ProducerRegistered':
        set(`blockProducers.owner.${a.producerId}`, a.owner)
        set(`blockProducers.operator.${a.producerId}`, a.operator)
        set(`blockProducers.status.${a.producerId}`, `${STATUS.active} false`)
        break
      case 'blockProducers.ExitRequested':
        set(`blockProducers.status.${a.producerId}`, `${STATUS.leaving} false`)
        break
      case 'blockProducers.BondWithdrawn':
        set(`blockProducers.status.${a.producerId}`, `${STATUS.gone} false`)
        break
      case 'blockProducers.ProducerSlashed': {
        const key = `blockProducers.status.${a.producerId}`
        if (a.out) set(key, words.get(key)?.replace('false', 'true'))
        break
      }
      case 'blockProducers.SeatsLocked':
        for (const producerId of a.producers) add(`blockProducers.seatCount.${producerId}`, 1n)
        break
      case 'blockProducers.SeatReleased':
        add(`blockProducers.seatCount.${a.producerId}`, -1n)
        break
      case 'blockProducers.SeatsHeld':
        set(`blockProducers.held.${a.poolId}`, true)
        break
      case 'blockProducers.SeatsUnheld':
        set(`blockProducers.held.${a.poolId}`, false)
        break
      case 'periods.Joined':
        list[a.position] = a.producerId
        break
      case 'periods.Left': {
        // The last of the list takes the place.
        const last = list.pop()
        if (Number(a.position) < list.length) list[a.position] = last
        break
      }
      case 'periods.ListFrozen':
        set(`periods.list.${a.period}`, list.slice(0, Number(a.size)))
        break
      case 'periods.SeedProven':
        set(`periods.seedOf.${a.period}`, a.seed)
        break
      case 'periods.CommitteeFormed':
        set(`periods.committee.${a.period}`, a.members)
        break
      case 'vaultDraws.DrawRequested':
        set(`vaultDraws.done.${a.drawId}`, false)
        break
      case 'vaultDraws.DrawFilled':
      case 'vaultDraws.DrawCancelled':
        set(`vaultDraws.done.${a.drawId}`, true)
        break
      case 'poolRegistry.PoolRequested':
        set(`poolRegistry.kind.${a.poolId}`, a.kind)
        set(`poolRegistry.state.${a.poolId}`, POOL.requested)
        break
      case 'poolRegistry.VaultSelected':
        set(`poolRegistry.vault.${a.poolId}`, a.members)
        set(`poolRegistry.state.${a.poolId}`, POOL.ceremony)
        break
      case 'poolRegistry.VaultReplaced':
        set(`poolRegistry.vault.${a.poolId}`, a.members)
        break
      case 'poolRegistry.DkgCompleted':
        set(`poolRegistry.publicKey.${a.poolId}`, a.publicKey)
        set(`poolRegistry.state.${a.poolId}`, POOL.registered)
        break
      case 'poolRegistry.DkgFailed':
        set(`poolRegistry.vault.${a.poolId}`, '')
        set(`poolRegistry.state.${a.poolId}`, POOL.requested)
        break
      case 'poolRegistry.PoolFunded':
        set(`poolRegistry.state.${a.poolId}`, POOL.funded)
        break
      case 'poolRegistry.PoolExiting':
      case 'poolRegistry.PoolAbandoned':
        set(`poolRegistry.state.${a.poolId}`, POOL.exiting)
        break
      case 'poolRegistry.PoolFrontRun':
      case 'poolRegistry.PoolClosed':
        set(`poolRegistry.state.${a.poolId}`, POOL.closed)
        break
      case 'poolRegistry.PoolCancelled':
        set(`poolRegistry.state.${a.poolId}`, POOL.cancelled)
        break
      case 'rotations.RotationRequested':
        set(`rotations.state.${a.poolId}`, ROTATION.requested)
        break
      case 'rotations.RotationDrawn':
        set(`rotations.state.${a.poolId}`, ROTATION.drawn)
        set(`rotations.members.${a.poolId}`, a.members)
        break
      case 'rotations.RotationCompleted':
        set(`rotations.state.${a.poolId}`, ROTATION.idle)
        set(`rotations.cutover.${a.poolId}`, `${a.round} ${a.cutover}`)
        break
      case 'rotations.RotationFailed':
      case 'rotations.RotationDropped':
        set(`rotations.state.${a.poolId}`, ROTATION.idle)
        break
      case 'slashing.PoolFault':
        set(`slashing.kind.${a.poolId}`, a.kind)
        break
      case 'slashing.ExitSeen':
        set(`slashing.withdrawableEpoch.${a.poolId}`, a.withdrawableEpoch)
        break
      case 'slashing.BalanceShown':
        set(`slashing.shown.${a.poolId}`, [a.epoch, a.balance])
        break
      case 'slashing.FaultSettled':
        set(`slashing.settled.${a.poolId}`, true)
        break
      case 'votes.VoteOpened':
        set(`votes.state.${a.commitmentId}`, VOTE.open)
        set(`votes.deadline.${a.commitmentId}`, a.deadline)
        break
      case 'votes.VoteClosed':
        set(`votes.state.${a.commitmentId}`, a.outcome)
        set(`votes.ballots.${a.commitmentId}`, [a.upheld, a.wrong, a.unavailable])
        break
      case 'windDown.WindDownStarted':
        set('windDown.started', true)
        set('windDown.totalUnits', a.totalUnits)
        // No pool gets a deposit any more.
        set('stakingPool.reserved', 0)
        break
      case 'windDown.Redeemed':
        add(`windDown.unitsOf.${a.account}`, a.shares)
        break
      case 'windDown.Gathered':
        add('windDown.arrived', a.amount)
        break
      case 'exits.LiquidationRequested':
        set('exits.drawCount', a.drawId)
        break
      case 'exits.LiquidationDrawn':
        set(`exits.deadline.${a.poolId}`, a.deadline)
        break
      case 'stateCommitments.StateCommitted':
        set(`stateCommitments.state.${a.commitmentId}`, COMMITMENT.open)
        break
      case 'stateCommitments.CommitmentPending':
        set(`stateCommitments.state.${a.commitmentId}`, COMMITMENT.pending)
        set(`stateCommitments.sums.${a.commitmentId}`, [a.stakerProfit, a.bondProfit, a.positivePoints, a.windowEnds])
        break
      case 'stateCommitments.CommitmentFrozen':
        set(`stateCommitments.state.${a.commitmentId}`, COMMITMENT.disputed)
        break
      case 'stateCommitments.CommitmentUnfrozen':
        set(`stateCommitments.state.${a.commitmentId}`, COMMITMENT.pending)
        break
      case 'stateCommitments.CommitmentDropped':
        set(`stateCommitments.state.${a.commitmentId}`, COMMITMENT.dropped)
        break
      case 'stateCommitments.StateFinalized':
        set(`stateCommitments.state.${a.commitmentId}`, COMMITMENT.finalized)
        break
      case 'rewards.ReportBooked':
        set(`rewards.report.${a.report}`, [a.referenceTimestamp, a.producers, a.rate])
        break
      case 'rewards.Settled':
        set(`rewards.settled.${a.producerId}`, a.report)
        set(`rewards.debtOf.${a.producerId}`, a.debt)
        break
      case 'rewards.DebtRepaid':
        set(`rewards.debtOf.${a.producerId}`, a.debt)
        break
      case 'cdt.Transfer':
        if (a.from === ZeroAddress) add('cdt.totalSupply', a.value)
        else take(`cdt.balanceOf.${a.from}`, a.value)
        if (a.to === ZeroAddress) take('cdt.totalSupply', a.value)
        else add(`cdt.balanceOf.${a.to}`, a.value)
        break
      case 'cdtStaking.Locked':
        add('cdtStaking.totalLocked', a.amount)
        add(`cdtStaking.position.${a.positionId}`, a.amount)
        break
      case 'cdtStaking.Unlocked':
        take('cdtStaking.totalLocked', a.amount)
        take(`cdtStaking.position.${a.positionId}`, a.amount)
        break
    }
  }
  return new Map([...words, ...[...sums].map(([key, sum]) => [key, String(sum)] as const)].sort(([a], [b]) => (a < b ? -1 : 1)))
}

/** What the contracts say of the same values. */
export async function ask(life: NetworkLife, key: string): Promise<string> {
  const [, name = '', value = '', of = ''] = /^(\w+)\.(\w+)\.?(.*)$/.exec(key) ?? []
  switch (`${name}.${value}`) {
    case 'withdrawalQueue.request': {
      const { amount, claimed, finalized } = await life.withdrawalQueue.request(of)
      return `${amount} ${claimed ? REQUEST.claimed : finalized ? REQUEST.finalized : REQUEST.waiting}`
    }
    case 'blockProducers.owner':
      return life.blockProducers.ownerOf(of)
    case 'blockProducers.operator': {
      const operator = life.producers.find(({ id }) => String(id) === of)?.operator ?? ZeroAddress
      return String(await life.blockProducers.producerOf(operator)) === of ? operator : 'nobody’s'
    }
    case 'blockProducers.status': {
      const { status, slashed } = await life.blockProducers.producer(of)
      return `${status} ${slashed}`
    }
    case 'periods.list':
      return String(await life.periods.listAt(of, 0, await life.periods.sizeAt(of)))
    case 'periods.committee':
      return String((await life.periods.committee(of)).members)
    case 'vaultDraws.done':
      return String((await life.vaultDraws.draw(of)).done)
    case 'poolRegistry.vault':
      return String(await life.poolRegistry.vault(of))
    case 'poolRegistry.kind':
    case 'poolRegistry.state':
    case 'poolRegistry.publicKey': {
      const { kind, state, publicKey } = await life.poolRegistry.pool(of)
      return String({ kind, state, publicKey }[value as 'kind' | 'state' | 'publicKey'])
    }
    case 'rotations.state':
    case 'rotations.members': {
      const { state, members } = await life.rotations.rotation(of)
      return String(value === 'state' ? state : members)
    }
    case 'rotations.cutover': {
      const round = (await life.poolRegistry.pool(of)).round
      return `${round} ${await life.rotations.cutoverOf(of, round)}`
    }
    case 'blockProducers.held':
      return String((await life.blockProducers.holdersOf(of)).some(({ held }) => held))
    case 'slashing.kind':
    case 'slashing.withdrawableEpoch':
    case 'slashing.settled':
    case 'slashing.shown': {
      const { kind, withdrawableEpoch, settled, balanceEpoch, balance } = await life.slashing.fault(of)
      const shown = [balanceEpoch, balance]
      return String({ kind, withdrawableEpoch, settled, shown }[value as 'kind' | 'withdrawableEpoch' | 'settled' | 'shown'])
    }
    case 'votes.state':
    case 'votes.deadline': {
      const { state, deadline } = await life.votes.vote(of)
      return String(value === 'state' ? state : deadline)
    }
    case 'votes.ballots': {
      const { upheld, wrong, unavailable } = await life.votes.vote(of)
      return String([upheld, wrong, unavailable])
    }
    case 'exits.deadline':
      return String((await life.exits.exit(of)).deadline)
    case 'stateCommitments.state':
      return String((await life.stateCommitments.commitment(of)).state)
    case 'stateCommitments.sums': {
      const { stakerProfit, bondProfit, positivePoints, windowEnds } = await life.stateCommitments.commitment(of)
      return String([stakerProfit, bondProfit, positivePoints, windowEnds])
    }
    case 'rewards.report': {
      const { referenceTimestamp, producers, rate } = await life.rewards.report(of)
      return String([referenceTimestamp, producers, rate])
    }
    case 'rewards.settled':
      return String((await life.rewards.account(of)).settled)
    case 'cdtStaking.position':
      return String((await life.cdtStaking.position(of)).amount)
    default: {
      const contract = (
        life as unknown as Readonly<Record<string, { getFunction(name: string): (...args: string[]) => Promise<unknown> }>>
      )[name]
      if (contract === undefined) throw new Error(`expected a contract ${name}`)
      return String(await contract.getFunction(value)(...(of === '' ? [] : [of])))
    }
  }
}
