import type { Epoch, PublicKey, Root, Slot } from '../core/ids.ts'
import type { ProtectionDatabase } from './database.ts'
import { SlashingProtectionError, type SlashingRule } from './errors.ts'

export type SignedAttestation = {
  readonly publicKey: PublicKey
  readonly sourceEpoch: Epoch
  readonly targetEpoch: Epoch
  readonly signingRoot: Root
}
export type SignedBlock = { readonly publicKey: PublicKey; readonly slot: Slot; readonly signingRoot: Root }

/** Nothing at or below these may be signed (a source below its floor); −1 where nothing was ever signed. */
export type Floor = { readonly sourceEpoch: number; readonly targetEpoch: number; readonly slot: number }

/** Verdict on a request: which rule it breaks and why; or that it is new; or that this very thing was signed before. */
export type Verdict =
  | { readonly kind: 'new' }
  | { readonly kind: 'repeat' }
  | { readonly kind: 'refused'; readonly rule: SlashingRule; readonly reason: string }

/**
 * EIP-3076's rules over a complete record, with floors: no double vote, no surrounding or surrounded vote, no source below
 * or target at or below the least known, block slots strictly increasing. The same signing root again is allowed.
 */
export type SlashingProtection = {
  judgeAttestation(attestation: SignedAttestation): Verdict
  judgeBlock(block: SignedBlock): Verdict
  /** Durable before they return. Throw `SlashingProtectionError` and then record nothing. */
  recordAttestation(attestation: SignedAttestation): void
  recordBlock(block: SignedBlock): void
  /** Lifts (never lowers) a key's floors. */
  raiseFloor(publicKey: PublicKey, floor: Floor): void
}

const refused = (rule: SlashingRule, reason: string): Verdict => ({ kind: 'refused', rule, reason })

export function createSlashingProtection(database: ProtectionDatabase): SlashingProtection {
  const sameTarget = database.prepare('SELECT source_epoch, signing_root FROM attestations WHERE public_key = ? AND target_epoch = ?')
  const surrounded = database.prepare(
    'SELECT source_epoch, target_epoch FROM attestations WHERE public_key = ? AND source_epoch > ? AND target_epoch < ? LIMIT 1',
  )
  const surrounding = database.prepare(
    'SELECT source_epoch, target_epoch FROM attestations WHERE public_key = ? AND target_epoch > ? AND source_epoch < ? LIMIT 1',
  )
  const leastTarget = database.prepare('SELECT min(target_epoch) AS least FROM attestations WHERE public_key = ?')
  const leastSource = database.prepare('SELECT min(source_epoch) AS least FROM attestations WHERE public_key = ?')
  const lastSlot = database.prepare('SELECT max(slot) AS last FROM blocks WHERE public_key = ?')
  const sameSlot = database.prepare('SELECT signing_root FROM blocks WHERE public_key = ? AND slot = ?')
  const floorOf = database.prepare('SELECT source_epoch, target_epoch, slot FROM floors WHERE public_key = ?')
  const most = database.prepare(
    'SELECT max(source_epoch) AS source, (SELECT max(target_epoch) FROM attestations WHERE public_key = ?1) AS target FROM attestations WHERE public_key = ?1',
  )
  const insertAttestation = database.prepare('INSERT INTO attestations VALUES (?, ?, ?, ?)')
  const insertBlock = database.prepare('INSERT INTO blocks VALUES (?, ?, ?)')
  const raise = database.prepare(
    `INSERT INTO floors VALUES (?, ?, ?, ?) ON CONFLICT (public_key) DO UPDATE SET source_epoch = max(source_epoch, excluded.source_epoch),
     target_epoch = max(target_epoch, excluded.target_epoch), slot = max(slot, excluded.slot)`,
  )

  const floorFor = (publicKey: PublicKey): Floor => {
    const row = floorOf.get(publicKey)
    return { sourceEpoch: Number(row?.source_epoch ?? -1), targetEpoch: Number(row?.target_epoch ?? -1), slot: Number(row?.slot ?? -1) }
  }

  // The greatest epochs on record. A vote that passes them all needs no search; only this process writes the records.
  const tops = new Map<PublicKey, { readonly source: number; readonly target: number }>()
  const topOf = (publicKey: PublicKey): { readonly source: number; readonly target: number } => {
    const known = tops.get(publicKey)
    if (known !== undefined) return known
    const [row, floor] = [most.get(publicKey), floorFor(publicKey)]
    const top = {
      source: Math.max(floor.sourceEpoch, Number(row?.source ?? -1)),
      target: Math.max(floor.targetEpoch, Number(row?.target ?? -1)),
    }
    tops.set(publicKey, top)
    return top
  }

  const judgeByAll = ({ publicKey, sourceEpoch, targetEpoch, signingRoot }: SignedAttestation): Verdict => {
    const vote = `${sourceEpoch} → ${targetEpoch}`
    const rivals = sameTarget.all(publicKey, targetEpoch)
    if (rivals.some((row) => row.signing_root !== signingRoot || row.source_epoch !== sourceEpoch))
      return refused('DOUBLE_VOTE', `another vote for target ${targetEpoch} was signed`)
    if (rivals.length > 0) return { kind: 'repeat' }
    const inner = surrounded.get(publicKey, sourceEpoch, targetEpoch)
    if (inner !== undefined)
      return refused('SURROUNDING_VOTE', `${vote} surrounds the signed ${inner.source_epoch} → ${inner.target_epoch}`)
    const outer = surrounding.get(publicKey, targetEpoch, sourceEpoch)
    if (outer !== undefined)
      return refused('SURROUNDED_VOTE', `${vote} is surrounded by the signed ${outer.source_epoch} → ${outer.target_epoch}`)
    const floor = floorFor(publicKey)
    const source = Math.max(floor.sourceEpoch, Number(leastSource.get(publicKey)?.least ?? -1))
    if (sourceEpoch < source) return refused('SOURCE_TOO_OLD', `source ${sourceEpoch} is below ${source}`)
    const target = Math.max(floor.targetEpoch, Number(leastTarget.get(publicKey)?.least ?? -1))
    if (targetEpoch <= target) return refused('TARGET_TOO_OLD', `target ${targetEpoch} is not above ${target}`)
    return { kind: 'new' }
  }

  const judgeAttestation = (attestation: SignedAttestation): Verdict => {
    const { publicKey, sourceEpoch, targetEpoch } = attestation
    if (sourceEpoch > targetEpoch) return refused('SOURCE_AFTER_TARGET', `source after target in ${sourceEpoch} → ${targetEpoch}`)
    const top = topOf(publicKey)
    return sourceEpoch >= top.source && targetEpoch > top.target ? { kind: 'new' } : judgeByAll(attestation)
  }

  const judgeBlock = ({ publicKey, slot, signingRoot }: SignedBlock): Verdict => {
    const rivals = sameSlot.all(publicKey, slot)
    if (rivals.some((row) => row.signing_root !== signingRoot)) return refused('DOUBLE_BLOCK', `another block for slot ${slot} was signed`)
    if (rivals.length > 0) return { kind: 'repeat' }
    const last = Math.max(floorFor(publicKey).slot, Number(lastSlot.get(publicKey)?.last ?? -1))
    if (slot <= last) return refused('SLOT_TOO_OLD', `slot ${slot} is not above ${last}`)
    return { kind: 'new' }
  }

  return {
    judgeAttestation,
    judgeBlock,
    recordAttestation: (attestation) => {
      const verdict = judgeAttestation(attestation)
      if (verdict.kind === 'refused') throw new SlashingProtectionError(verdict.rule, verdict.reason)
      if (verdict.kind === 'repeat') return
      const { publicKey, sourceEpoch, targetEpoch, signingRoot } = attestation
      database.record(() => insertAttestation.run(publicKey, targetEpoch, sourceEpoch, signingRoot))
      const top = topOf(publicKey)
      tops.set(publicKey, { source: Math.max(top.source, sourceEpoch), target: Math.max(top.target, targetEpoch) })
    },
    recordBlock: (block) => {
      const verdict = judgeBlock(block)
      if (verdict.kind === 'refused') throw new SlashingProtectionError(verdict.rule, verdict.reason)
      if (verdict.kind === 'new') database.record(() => insertBlock.run(block.publicKey, block.slot, block.signingRoot))
    },
    raiseFloor: (publicKey, floor) => {
      // An import's records come with their floor.
      tops.delete(publicKey)
      database.record(() => raise.run(publicKey, floor.sourceEpoch, floor.targetEpoch, floor.slot))
    },
  }
}
