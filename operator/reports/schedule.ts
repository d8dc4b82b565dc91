import type { Epoch, ProducerId, Slot } from '../core/ids.ts'
import type { NetworkState, Producer } from '../core/network.ts'
import type { Parameters } from '../core/ports/chain.ts'

/** Newest report epoch whose reference lies before a slot or at the epoch given; undefined before the first period. */
export function reportEpochAt(epoch: number, parameters: Parameters): Epoch | undefined {
  const onGrid = Math.floor(epoch / parameters.reportEpochs) * parameters.reportEpochs
  return onGrid < parameters.firstPeriod ? undefined : (onGrid as Epoch)
}

/** First slot of a report epoch: its reference is the block at or before it. */
export function boundaryOf(epoch: Epoch, parameters: Parameters): Slot {
  return (epoch * parameters.slotsPerEpoch) as Slot
}

/** The committee that signs a report of this epoch, in order of its draw, or undefined until it is formed. */
export function committeeOf(state: NetworkState, epoch: Epoch, parameters: Parameters): readonly Producer[] | undefined {
  const period = Math.floor((epoch - parameters.firstPeriod) / parameters.periodLength)
  const members = state.periods.get(period)?.committee
  return members?.flatMap((id) => {
    const producer = state.producers.get(id)
    return producer === undefined ? [] : [producer]
  })
}

/** Slashed members struck from that committee: their keys are no longer in its sum, so they sign no more. */
export function struckFrom(state: NetworkState, epoch: Epoch, parameters: Parameters): readonly ProducerId[] {
  return state.periods.get(Math.floor((epoch - parameters.firstPeriod) / parameters.periodLength))?.struck ?? []
}

/**
 * Is this a report that the member's committee will sign, or has? Only such signatures are kept: of epochs made up, a stranger
 * could send enough to push the real ones out.
 */
export function maySign(state: NetworkState, from: ProducerId, epoch: Epoch, parameters: Parameters): boolean {
  if (epoch % parameters.reportEpochs !== 0) return false
  return committeeOf(state, epoch, parameters)?.some(({ id }) => id === from) ?? false
}

/** Place of the member that leads a report first. */
export function leaderOf(committee: readonly Producer[], epoch: Epoch, parameters: Parameters): number {
  return Math.floor(epoch / parameters.reportEpochs) % committee.length
}

/** Steps from the epoch's leader to a member, along the committee: who submits after how many timeouts. */
export function turnsUntil(committee: readonly Producer[], self: ProducerId, epoch: Epoch, parameters: Parameters): number {
  const leader = leaderOf(committee, epoch, parameters)
  const place = committee.findIndex(({ id }) => id === self)
  return (place - leader + committee.length) % committee.length
}
