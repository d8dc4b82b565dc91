import type { BlsSignature, Hex, MemberIndex, PublicKey, Root } from '../ids.ts'
import type { CeremonyContext, Complaint, Dealing, Dleq, OpenedDealing } from './ceremony.ts'

/**
 * A handover of a pool's key as one producer sees it. Members are numbered: those of the new vault from 1, after them those of the
 * old one; a producer may be in both. `size` and `threshold` are the new vault's.
 */
export type HandoverContext = Omit<CeremonyContext, 'kind' | 'self'> & {
  readonly kind: 'rotation'
  /** Round of the vault that hands over. */
  readonly oldRound: number
  readonly oldSize: number
  readonly oldThreshold: number
  readonly groupKey: PublicKey
  /** In vault order: what each old member must deal. */
  readonly oldPublicShares: readonly PublicKey[]
  /** Own number in the new vault, 1…size. */
  readonly receiver?: MemberIndex
  /** Own number as a member of the old vault, size + 1…size + oldSize. */
  readonly dealer?: MemberIndex
}

/**
 * The secret half of a handover. Shares, polynomials and ephemeral keys never leave it; each step is on disk (encrypted) before it
 * returns, and repeating a step returns the same bytes, also after a restart.
 */
export type HandoverSecrets = {
  /** Makes (or finds) this producer's ephemeral key for the handover; returns its public G1 point. */
  begin(context: HandoverContext): Promise<Hex>
  /** Proof that the producer holds that key's secret, as this member. */
  possession(context: HandoverContext, member: MemberIndex): Promise<Dleq>
  /**
   * Makes (or finds) the one dealing of the own share of the old round. From here on the old share signs only for epochs that the
   * finalized chain is known close enough to (`ShareSigner.learn`).
   */
  deal(context: HandoverContext, joinKeys: readonly (Hex | null)[]): Promise<Dealing>
  /** Decrypts and verifies the share that a dealing holds for this member of the new vault. */
  open(context: HandoverContext, dealing: Dealing): Promise<OpenedDealing>
  /**
   * Makes (or finds) the complaint about a dealing whose share for self is bad. `possession`: the dealer's proof that it holds its
   * join key; without it a complaint could open another's share. Null without it, and when there is nothing a complaint would show.
   */
  complain(context: HandoverContext, dealing: Dealing, possession: Dleq): Promise<Complaint | null>
  /** Makes the new share of the dealings agreed on, exactly t of them, each with a good share for self. Never of two choices. */
  combine(context: HandoverContext, dealings: readonly Dealing[]): Promise<void>
  /** Signature by the new share over the result's digest, which shows that self has it. */
  sign(context: HandoverContext, digest: Root): Promise<BlsSignature>
  /** Stores the new share beside the old one as an encrypted keystore. It signs from its cutover on, once that is final. */
  commit(context: HandoverContext, publicShares: readonly PublicKey[]): Promise<void>
  /** Forgets everything of this handover but a committed share. */
  erase(context: Pick<HandoverContext, 'chainId' | 'contract' | 'poolId' | 'kind' | 'round'>): Promise<void>
}
