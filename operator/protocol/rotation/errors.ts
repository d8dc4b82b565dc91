import { OpenPoolsError } from '../../core/errors.ts'

/** Rules that the public data of a handover must keep, beside those of a key generation. `data.member` names who broke it. */
export type HandoverRule = 'BAD_CONSTANT_TERM' | 'BAD_SHARE' | 'NOT_COVERED' | 'BAD_DEALERS' | 'OTHER_KEY'

export class HandoverError extends OpenPoolsError<HandoverRule> {}
