import type { DutyCertificate } from '../../protocol/messages/certificate.ts'
import { placeOf } from '../../protocol/state/summaries.ts'
import { everyInSlices } from './slices.ts'

/** A set may lack so much of a seat's bits, rounded up: certificates that were lost on their way to who made it. */
const LOST_PART = 16
const PER_TURN = 256

/** Certificates that a node would publish, each with the bits that are news, and how many these are for each seat of a vault. */
export type Held = { readonly certificates: readonly DutyCertificate[]; readonly seats: ReadonlyMap<string, number> }

/** How many bits certificates have. */
export async function countBits(
  certificates: readonly DutyCertificate[],
  bitsOf: (certificate: DutyCertificate) => bigint,
): Promise<number> {
  let count = 0
  await everyInSlices(certificates, PER_TURN, (certificate) => {
    for (let rest = bitsOf(certificate); rest > 0n; rest >>= 1n) count += Number(rest & 1n)
    return true
  })
  return count
}

/** Of sets with so many bits each, those that lack no more than a sixteenth of the largest, largest first. */
export function largest<Key>(bits: ReadonlyMap<Key, number>): readonly Key[] {
  const sorted = [...bits].toSorted(([, a], [, b]) => b - a)
  const most = sorted[0]?.[1] ?? 0
  return sorted.filter(([, count]) => count >= most - most / LOST_PART).map(([key]) => key)
}

/** Counts what is held, seat by seat. */
export async function countHeld(certificates: readonly DutyCertificate[]): Promise<Held> {
  const seats = new Map<string, number>()
  await everyInSlices(certificates, PER_TURN, (certificate) => {
    for (const seat of seatsOf(certificate, certificate.participation)) seats.set(seat, (seats.get(seat) ?? 0) + 1)
    return true
  })
  return { certificates, seats }
}

/** Does a set have all that is held, but for a sixteenth of each seat's bits? */
export async function isNearlyWhole(set: readonly DutyCertificate[], { certificates, seats }: Held): Promise<boolean> {
  const published = new Map<string, bigint>()
  await everyInSlices(set, PER_TURN, (certificate) => {
    published.set(placeOf(certificate), certificate.participation)
    return true
  })
  const missing = new Map<string, number>()
  return everyInSlices(certificates, PER_TURN, (certificate) => {
    const lacks = certificate.participation & ~(published.get(placeOf(certificate)) ?? 0n)
    return seatsOf(certificate, lacks).every((seat) => {
      const count = (missing.get(seat) ?? 0) + 1
      missing.set(seat, count)
      return count <= Math.ceil((seats.get(seat) ?? 0) / LOST_PART)
    })
  })
}

/** The seats of a certificate's vault that these bits are of. */
function seatsOf({ poolId, round }: DutyCertificate, bits: bigint): readonly string[] {
  const seats: string[] = []
  let place = 0
  for (let rest = bits; rest > 0n; rest >>= 1n, place++) if (rest & 1n) seats.push(`${poolId}/${round}/${place}`)
  return seats
}
