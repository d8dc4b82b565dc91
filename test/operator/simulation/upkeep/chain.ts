import type { Epoch, Hex, PoolId, ProducerId, PublicKey, Root, Slot, ValidatorIndex } from '../../../../operator/core/ids.ts'
import type { Commitment, NetworkState, Period, Pool, Producer } from '../../../../operator/core/network.ts'
import { toAddress } from '../../../../operator/core/parse.ts'
import type { BeaconHeaderInfo } from '../../../../operator/core/ports/beacon.ts'
import type { Call, ContractAddresses } from '../../../../operator/core/ports/chain.ts'
import { CONTRACTS } from '../../../../operator/core/ports/chain.ts'
import type { CommitmentContent, Report } from '../../../../operator/core/report.ts'
import { thresholdOf } from '../../../../operator/core/vault.ts'
import { publicKeyToEip2537, signatureToEip2537 } from '../../../../operator/protocol/bls/points.ts'
import { aggregateSignatures } from '../../../../operator/protocol/bls/signatures.ts'
import { wordsOf } from '../../../../operator/protocol/bls/words.ts'
import { reportDigest } from '../../../../operator/protocol/messages/report.ts'
import { standingBefore, uncovered } from '../../../../operator/protocol/state/coverage.ts'
import { emptyState } from '../../../../operator/protocol/state/network-state.ts'
import { pageRoot } from '../../../../operator/protocol/state/pages.ts'
import { sha } from '../crypto.ts'
import type { Random } from '../random.ts'
import type { Keys } from './keys.ts'
import { EPOCH_MS, PARAMETERS, SLOT_MS, SLOTS_PER_EPOCH, START_EPOCH } from './plan.ts'

/** Place in an epoch of the block that pool 1 proposes. */
export const PROPOSAL_AT = 2
export const CHAIN_ID = 7n
export const ADDRESSES = Object.fromEntries(
  CONTRACTS.map((name, at) => [name, toAddress(`0x${(at + 1).toString(16).padStart(40, '0')}`)]),
) as ContractAddresses

/** A block of both chains. */
export type Block = BeaconHeaderInfo & { readonly number: number }

export type Refused = string
export type Included = { readonly key: string; readonly by: ProducerId; readonly at: number }

/** Members of every pool's vault. */
export const VAULT = [1, 2, 3, 4] as readonly number[] as readonly ProducerId[]

/** Pools whose balances are reported, funded just before the start. */
const POOLS: readonly Pool[] = [1, 2, 3].map((id) => ({
  id: id as PoolId,
  kind: id === 3 ? 'bond' : 'staker',
  phase: 'funded',
  round: 0,
  members: VAULT,
  publicKey: sha('pool', id).padEnd(98, '0') as PublicKey,
  ordinal: id === 3 ? 0 : id - 1,
  registeredAt: 1,
  fundedAt: (START_EPOCH * EPOCH_MS) / 1_000 - 1,
  validatorIndex: id as ValidatorIndex,
  exitForced: false,
  stallProven: false,
  vaults: [{ round: 0, members: VAULT, publicShares: [], from: 0 as Epoch }],
}))

/** Withdrawal vaults' wei at a block: another at each, so that a report of another block shows. */
export const balanceAt = (block: number): bigint => BigInt(block) * 10n ** 15n

/** Blocks by slot, and the contracts' rules for what the keeper and the committee send. */
export class UpkeepChain {
  readonly blocks: readonly Block[]
  readonly included: Included[] = []
  /** Sent, and refused by the block that held it: paid for nothing. */
  readonly wasted: Included[] = []
  readonly #keys: Keys
  #state: NetworkState

  constructor({ random, end, producers, keys }: { random: Random; end: number; producers: readonly Producer[]; keys: Keys }) {
    this.#keys = keys
    this.#state = {
      ...emptyState(),
      producers: new Map(producers.map((producer) => [producer.id, producer])),
      pools: new Map(POOLS.map((pool) => [pool.id, pool])),
    }
    const blocks: Block[] = []
    for (let slot = 0; slot * SLOT_MS < end; slot++) {
      if (slot > START_EPOCH * SLOTS_PER_EPOCH && random.chance(0.1)) continue
      blocks.push(makeBlock(slot, blocks.at(-1)?.root ?? (sha('genesis') as Root), blocks.length + 1, 'block'))
    }
    this.blocks = blocks
  }

  get state(): NetworkState {
    return this.#state
  }

  atOrBefore(slot: number): Block {
    const found = this.blocks.findLast((block) => block.slot <= slot) ?? this.blocks[0]
    if (found === undefined) throw new Error('a chain has a first block')
    return found
  }

  /** Another block in the place of one, by another's luck; none follows it. */
  siblingOf(block: Block): Block {
    return makeBlock(block.slot, block.parentRoot, block.number, 'sibling')
  }

  /** Why a call would be refused in a block of this time, undefined when it would not; `apply` makes it so. */
  judge({ contract, method, args }: Call, at: number, apply: boolean): Refused | undefined {
    const seconds = Math.floor(at / 1_000)
    const epoch = Math.floor(at / EPOCH_MS)
    switch (`${contract}.${method}`) {
      case 'periods.freeze':
        return this.#freeze(epoch, apply)
      case 'periods.proveSeed':
        return this.#period(
          Number(args[0]),
          ({ seed }) => (seed === undefined ? { seed: sha('seed', Number(args[0])) as Root } : 'SeedAlreadyProven'),
          apply,
        )
      case 'periods.formCommittee':
        return this.#period(Number(args[0]), ({ seed, committee }) => this.#committee(seed, committee), apply)
      case 'stateCommitments.commitState':
        return this.#commit(args, { seconds, epoch }, apply)
      case 'stateCommitments.postPage':
        return this.#postPage(args, seconds, apply)
      case 'stateCommitments.finalizeState':
        return this.#commitment(
          args[0],
          seconds,
          ({ phase, windowEnds = 0 }) => (phase === 'pending' && seconds > windowEnds ? { phase: 'finalized' } : 'NotFinalizable'),
          apply,
        )
      case 'stateCommitments.dropOverdue':
        return this.#commitment(
          args[0],
          seconds,
          ({ phase, committedAt }) =>
            phase === 'open' && seconds > committedAt + PARAMETERS.pagesDeadline * (EPOCH_MS / 1_000) ? { phase: 'dropped' } : 'NotOverdue',
          apply,
        )
      default:
        return 'NothingToDo'
    }
  }

  #freeze(epoch: number, apply: boolean): Refused | undefined {
    const next = this.#state.periods.size
    if (epoch < PARAMETERS.firstPeriod + next * PARAMETERS.periodLength - 1 - PARAMETERS.seedDelay) return 'NotFrozenYet'
    if (apply) this.#setPeriod(next, { size: this.#state.producers.size })
    return undefined
  }

  #committee(seed: Root | undefined, formed: Period['committee']): Partial<Period> | Refused {
    if (seed === undefined) return 'SeedUnproven'
    if (formed !== undefined) return 'CommitteeComplete'
    const ids = [...this.#state.producers.keys()]
    const turn = Number(BigInt(seed) % BigInt(ids.length))
    return { committee: [...ids.slice(turn), ...ids.slice(0, turn)] }
  }

  #period(id: number, change: (period: Period) => Partial<Period> | Refused, apply: boolean): Refused | undefined {
    const period = this.#state.periods.get(id)
    const changed = period === undefined ? 'NotFrozenYet' : change(period)
    if (typeof changed === 'string') return changed
    if (apply && period !== undefined) this.#setPeriod(id, { ...period, ...changed })
    return undefined
  }

  #setPeriod(id: number, period: Period): void {
    this.#state = { ...this.#state, periods: new Map(this.#state.periods).set(id, period) }
  }

  #commit(args: readonly unknown[], now: { readonly seconds: number; readonly epoch: number }, apply: boolean): Refused | undefined {
    const [report, , absent, absentKeys, words] = args as [Report, unknown, Hex, readonly (readonly Hex[])[], readonly Hex[]]
    const { epoch, blockRoot } = report
    const standing = [...this.#state.commitments.values()].filter(({ phase }) => phase !== 'dropped')
    if (standing.some((one) => one.epoch >= epoch)) return 'EpochNotNewer'
    if (report.history !== this.#state.history) return 'WrongHistory'
    if (epoch % PARAMETERS.reportEpochs !== 0 || epoch > now.epoch) return 'EpochOffGrid'
    if (this.atOrBefore(epoch * SLOTS_PER_EPOCH).root !== blockRoot) return 'WrongReference'
    const committee = this.#state.periods.get(Math.floor((epoch - PARAMETERS.firstPeriod) / PARAMETERS.periodLength))?.committee
    if (committee === undefined) return 'CommitteeIncomplete'
    const missing = BigInt(`0x${Buffer.from(absent.slice(2), 'hex').reverse().toString('hex')}`)
    const signers = committee.filter((_, place) => ((missing >> BigInt(place)) & 1n) === 0n)
    if (signers.length < thresholdOf(committee.length)) return 'TooFewSigners'
    const keysOfAbsent = committee
      .filter((id) => !signers.includes(id))
      .map((id) => wordsOf(publicKeyToEip2537(this.#keys.of(id).publicKey)))
    if (keysOfAbsent.join() !== absentKeys.join()) return 'WrongAbsentKey'
    const digest = reportDigest({ chainId: CHAIN_ID, contract: ADDRESSES.stateCommitments }, report)
    // The aggregate of unique signatures is unique.
    const right = wordsOf(signatureToEip2537(aggregateSignatures(signers.map((id) => this.#keys.of(id).sign(digest)))))
    if (right.join() !== words.join()) return 'InvalidAggregateSignature'
    if (!apply) return undefined
    const id = this.#state.commitments.size + 1
    const { commitments, history } = this.#state
    const made: Commitment = {
      ...{ id, epoch, digest, phase: 'open', committedAt: now.seconds, pagesPosted: 0, pointPages: [] },
      content: { report, executionHash: sha('execution', blockRoot) as Root, absent },
      covers: uncovered(commitments.values(), epoch),
      after: standingBefore(commitments.values()),
    }
    this.#state = { ...this.#state, commitments: new Map(commitments).set(id, made), history: history + 1 }
    return undefined
  }

  #postPage([id, content, at, page]: readonly unknown[], seconds: number, apply: boolean): Refused | undefined {
    const change = ({ phase, pagesPosted, content: made }: Commitment): Partial<Commitment> | Refused => {
      const { pageRoots } = made.report
      if (phase !== 'open') return 'WrongCommitmentState'
      if ((content as CommitmentContent).report.blockRoot !== made.report.blockRoot) return 'WrongContent'
      if (pagesPosted !== Number(at)) return 'WrongPage'
      if (pageRoots[pagesPosted] !== pageRoot(page as Hex)) return 'WrongPageRoot'
      const posted = pagesPosted + 1
      const window = { phase: 'pending' as const, windowEnds: seconds + PARAMETERS.disputeDuration * (EPOCH_MS / 1_000) }
      return { pagesPosted: posted, ...(posted === pageRoots.length && window) }
    }
    return this.#commitment(id, seconds, change, apply)
  }

  #commitment(
    id: unknown,
    seconds: number,
    change: (one: Commitment) => Partial<Commitment> | Refused,
    apply: boolean,
  ): Refused | undefined {
    const found = this.#state.commitments.get(Number(id))
    const changed = found === undefined ? 'UnknownCommitment' : change(found)
    if (typeof changed === 'string') return changed
    if (!apply || found === undefined) return undefined
    const { commitments, deeds, history } = this.#state
    const { epoch, content } = found
    this.#state = {
      ...this.#state,
      commitments: new Map(commitments).set(found.id, { ...found, ...changed }),
      history: changed.phase === 'dropped' ? history + 1 : history,
      deeds: changed.phase === 'finalized' ? [...deeds, { kind: 'report', timestamp: seconds, epoch, absent: content.absent }] : deeds,
    }
    return undefined
  }
}

function makeBlock(slot: number, parentRoot: Root, number: number, kind: string): Block {
  const roots = { root: sha(kind, slot) as Root, stateRoot: sha(kind, 'state', slot) as Root, bodyRoot: sha(kind, 'body', slot) as Root }
  return {
    ...roots,
    slot: slot as Slot,
    proposerIndex: (slot % SLOTS_PER_EPOCH === PROPOSAL_AT ? 1 : 0) as ValidatorIndex,
    parentRoot,
    number,
  }
}

export const epochAt = (time: number): Epoch => Math.floor(time / EPOCH_MS) as Epoch
