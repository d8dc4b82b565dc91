import { ethText } from '../core/amounts.ts'
import { columns } from './cli/print.ts'
import type { Leaving, LeavingSeat } from './leaving.ts'

const timeText = (seconds: number): string => `${new Date(seconds * 1000).toISOString().slice(0, 16).replace('T', ' ')} UTC`
const poolsText = (seats: readonly LeavingSeat[]): string =>
  `${seats.length === 1 ? 'pool' : 'pools'} ${seats.map(({ poolId }) => poolId).join(', ')}`

type Step = { readonly done: boolean; readonly name: string; readonly text: string }

function seatSteps({ seats }: Leaving): readonly Step[] {
  const live = seats.filter(({ until, held }) => until === null && !held)
  const tails = seats.filter(({ until }) => until !== null)
  const held = seats.filter((seat) => seat.held)
  const last = Math.max(0, ...tails.map(({ until }) => until ?? 0))
  return [
    {
      done: live.length === 0,
      name: 'seats',
      text: live.length === 0 ? 'none left' : `${poolsText(live)}: each vault hands its key to another, or its pool ends`,
    },
    {
      done: tails.length + held.length === 0,
      name: 'tails',
      text:
        [
          ...(tails.length > 0 ? [`${poolsText(tails)}: answers for them until ${timeText(last)}`] : []),
          ...(held.length > 0 ? [`${poolsText(held)}: answers until a fault of them is settled`] : []),
        ].join('; ') || 'none running',
    },
  ]
}

function settlementStep({ settled, settledThrough, settleThrough }: Leaving): Step {
  const reached = settledThrough === 0 ? 'no report settled yet' : `reports settled up to ${timeText(settledThrough)}`
  const needed = settleThrough === null ? 'to be settled up to the end of all of this' : `to be settled up to ${timeText(settleThrough)}`
  return { done: settled, name: 'points', text: settled ? reached : `${reached}, ${needed}` }
}

function steps(leaving: Leaving): readonly Step[] {
  const { listedUntil, debt } = leaving
  const listed = listedUntil === null ? 'in the list until the next period’s is frozen' : `in no list from ${timeText(listedUntil)} on`
  return [
    { done: leaving.standing === 'leaving', name: 'exit', text: leaving.standing === 'leaving' ? 'asked for' : 'not asked for yet' },
    ...seatSteps(leaving),
    { done: listedUntil !== null, name: 'list', text: listed },
    settlementStep(leaving),
    { done: debt === 0n, name: 'debt', text: debt === 0n ? 'none' : `${debt} points: later points repay it, or CDT ("--repay")` },
  ]
}

/** How far a producer is on its way out, for people, as lines. */
export function leavingTable(leaving: Leaving): readonly string[] {
  const { producerId, standing, slashed, bond, refusal, woundDown } = leaving
  if (standing === 'gone') return [`Producer ${producerId} has left, and has its bond.`]
  const state = slashed ? 'was slashed, out for ever' : standing === 'active' ? 'is active' : 'is leaving'
  const rows = woundDown ? [] : steps(leaving).map(({ done, name, text }) => [done ? 'done' : 'open', name, text])
  return [
    `Producer ${producerId} ${state}; bond ${ethText(bond)}.`,
    ...(woundDown ? ['The network is wound down: its bond can be taken at once.'] : []),
    ...columns(rows).map((line) => `  ${line}`),
    ...(refusal === null
      ? ['Its bond can be taken: "openpools exit --withdraw".']
      : standing === 'leaving'
        ? ['Keep the operator running: it hands over its seats and settles its points. Asked again, this command shows how far it is.']
        : []),
  ]
}
