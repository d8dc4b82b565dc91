import { OpenPoolsError } from '../../operator/core/errors.ts'

/**
 * Why something cannot be shown. UNKNOWN: no such commitment, pool or producer. MISSING: what the proof needs is not there (yet, or
 * any more). NOTHING_WRONG: all is as it should be. BAD_FILE: a file that does not hold what was expected.
 */
export class DisputeError extends OpenPoolsError<'UNKNOWN' | 'MISSING' | 'NOTHING_WRONG' | 'BAD_FILE'> {}
