import { OpenPoolsError } from '../core/errors.ts'

/** Why a duty was missed: a sentence for a table, and what an operator can do about it. */
export const REASONS = {
  LATE: {
    short: 'known too late',
    long: 'The duty became known after its deadline: the beacon node did not tell it in time, or this machine is overloaded. Late duties are dropped, never queued.',
  },
  NO_BEACON_DATA: {
    short: 'beacon node gave no data',
    long: 'The beacon node gave no attestation data or block for the slot, and no other member led the vault to a decision.',
  },
  NO_RANDAO: {
    short: 'no RANDAO reveal',
    long: 'Fewer than the threshold of members shared their part of the RANDAO reveal, without which no block can be built.',
  },
  NO_CONSENSUS: {
    short: 'no decision in time',
    long: 'The vault did not decide on a value before the deadline although a quorum was heard. Members may be slow or see different chains.',
  },
  MEMBERS_SILENT: {
    short: 'too few members heard',
    long: 'Fewer than a quorum of the vault took part in consensus. Other members are down or not reachable from this node.',
  },
  VALUE_REFUSED: {
    short: 'proposed values refused',
    long: 'Values were proposed that this member would not sign: wrong duty, other chain view or fee recipient, or slashable.',
  },
  SIGNER_REFUSED: {
    short: 'signer refused',
    long: 'Slashing protection or the share store refused to sign the decided value. The log names the rule.',
  },
  TOO_FEW_PARTIALS: {
    short: 'too few partial signatures',
    long: 'The value was decided, but fewer than the threshold of valid partial signatures arrived before the deadline.',
  },
  BROADCAST_REFUSED: {
    short: 'beacon node did not take it',
    long: 'The signature was complete, but this member’s beacon node refused or could not be reached to publish it.',
  },
  NOT_INCLUDED: {
    short: 'published but not on chain',
    long: 'The duty was published, but no canonical block includes it. The network may be congested, or the block came late.',
  },
  INTERNAL: {
    short: 'unexpected error',
    long: 'An error that should not happen; the log has it. Please report it.',
  },
} as const

export type ReasonCode = keyof typeof REASONS

/** A stage's failure, with the reason that the tracker shows. */
export class DutyError extends OpenPoolsError<ReasonCode> {
  constructor(code: ReasonCode, detail?: string, options?: ErrorOptions) {
    super(code, detail === undefined ? REASONS[code].short : `${REASONS[code].short}: ${detail}`, {}, options)
  }
}
