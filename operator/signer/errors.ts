import { OpenPoolsError } from '../core/errors.ts'

/** Key files and the folder that holds them. */
export class SignerError extends OpenPoolsError<
  'NO_KEYS' | 'KEYS_EXIST' | 'NO_FOLDER' | 'FOLDER_IN_USE' | 'BAD_FILE' | 'WRONG_PASSWORD' | 'BAD_PASSWORD'
> {}

/**
 * The database of what was signed is absent, another one, or cannot be written. Signing stops; nothing resets it. The
 * operator restores the database, or imports an interchange file into a new key folder.
 */
export class ProtectionLostError extends OpenPoolsError<'PROTECTION_LOST'> {}

/** The gate holds another digest for the same place, or may have held one: signing this one could be equivocation. */
export class GateError extends OpenPoolsError<'CONFLICTING_MESSAGE' | 'RECORDS_LOST'> {}

export type SlashingRule =
  | 'UNKNOWN_POOL'
  | 'NOT_IN_CHARGE'
  | 'FINALITY_BEHIND'
  | 'SOURCE_AFTER_TARGET'
  | 'DOUBLE_VOTE'
  | 'SURROUNDING_VOTE'
  | 'SURROUNDED_VOTE'
  | 'SOURCE_TOO_OLD'
  | 'TARGET_TOO_OLD'
  | 'DOUBLE_BLOCK'
  | 'SLOT_TOO_OLD'

/** A signature that EIP-3076's rules (or a missing share) forbid. */
export class SlashingProtectionError extends OpenPoolsError<SlashingRule> {}

/** An interchange file that cannot be taken over as it stands. */
export class InterchangeError extends OpenPoolsError<'BAD_INTERCHANGE' | 'OTHER_CHAIN'> {}

/** A step of a ceremony out of order, or asked again with other inputs. */
export class CeremonyError extends OpenPoolsError<
  'NOT_BEGUN' | 'NOT_DEALT' | 'SHARE_MISSING' | 'GOOD_SHARE' | 'CONFLICTING_STEP' | 'NO_SEAT' | 'BAD_JOIN_KEYS' | 'BAD_RESULT' | 'BAD_STATE'
> {}
