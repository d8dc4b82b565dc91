import { OpenPoolsError } from '../../core/errors.ts'

/** Rules that a ceremony's public data must keep. `data.member` names who broke it. */
export type DkgRule =
  | 'BAD_JOIN_KEY'
  | 'BAD_DEALING_SHAPE'
  | 'BAD_COMMITMENT'
  | 'BAD_REVEAL_SHAPE'
  | 'BAD_CONSTANT_TERM'
  | 'BAD_PUBLIC_SHARE'
  | 'NOT_ENOUGH_QUALIFIED'
  | 'NOT_ENOUGH_RECEIVERS'
  | 'NOT_ENOUGH_REVEALED'
  | 'INCONSISTENT_RESULT'

export class DkgError extends OpenPoolsError<DkgRule> {}
