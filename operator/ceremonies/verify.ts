import type { Hex, MemberIndex } from '../core/ids.ts'
import type { Dealing } from '../core/ports/ceremony.ts'
import { sleep } from '../core/time.ts'
import { complaintDigest, complaintOnceKey, dealingHash } from '../protocol/messages/ceremony.ts'
import { CeremonyFault } from './faults.ts'
import type { CeremonyRoom } from './room.ts'
import type { Ceremony, CeremonyPorts } from './types.ts'

/** Slots in which a dealer can show the join key that it encrypted to, when self was told another. */
const PATIENCE_SLOTS = 4

type Verifying = { readonly ceremony: Ceremony; readonly room: CeremonyRoom; readonly joinKeys: readonly (Hex | null)[] }

/**
 * Stage verify, for one dealing: what everyone can see of it, and the share that it holds for self. A bad share, which nobody
 * else sees, is complained about to all. Rejects with `CeremonyFault` naming who broke a rule.
 */
export async function verify(ports: CeremonyPorts, dealing: Dealing, verifying: Verifying, signal: AbortSignal): Promise<void> {
  const { ceremony, joinKeys } = verifying
  const other = joinKeys.findIndex((key, at) => (dealing.joinKeys[at] ?? null) !== key)
  if (other >= 0) await dispute(ports, { ...verifying, dealer: dealing.dealer, member: (other + 1) as MemberIndex }, signal)
  const { good, reason } = await ports.secrets.open(ceremony.context, dealing)
  signal.throwIfAborted()
  if (good) return
  await complain(ports, dealing, verifying)
  throw new CeremonyFault('BAD_SHARE', dealing.dealer, `dealt a bad share: ${reason ?? 'it does not match its commitments'}`)
}

async function complain({ secrets, operatorKey }: CeremonyPorts, dealing: Dealing, { ceremony, room }: Verifying): Promise<void> {
  const { context } = ceremony
  const complaint = await secrets.complain(context, dealing)
  if (complaint === null) return
  const about = dealingHash(context, dealing)
  const signature = operatorKey.signOnce(complaintOnceKey(context, dealing.dealer, about), complaintDigest(context, complaint, about))
  room.complain({ kind: 'complaint', complaint, signature })
}

/**
 * A dealer encrypted to another join key of a member than self was told. Both show what that member signed for them, and
 * the room accuses it when the two differ; without such proof it was the dealer.
 */
async function dispute(
  { clock, beacon, log }: CeremonyPorts,
  { ceremony, room, dealer, member }: Verifying & { readonly dealer: MemberIndex; readonly member: MemberIndex },
  signal: AbortSignal,
): Promise<never> {
  const { poolId, self } = ceremony.context
  log.warn('a dealing names another join key', { pool: poolId, dealer, member })
  // What this member dealt before a restart: only the owner of the key can have changed it since.
  if (dealer === self) throw new CeremonyFault('EQUIVOCATION', member, 'joined with another key before')
  if (member !== self) {
    room.show('join', member)
    await Promise.race([room.until(() => undefined, signal), sleep(clock, PATIENCE_SLOTS * beacon.spec.slotDurationMs, signal)])
  }
  throw new CeremonyFault('FOREIGN_JOIN_KEY', dealer, `encrypted to a join key that member ${member} did not sign`)
}
