import { OpenPoolsError } from '../../core/errors.ts'

export type BlsErrorCode = 'NO_NATIVE_BACKEND' | 'BAD_POINT' | 'BAD_SCALAR' | 'BAD_INDEX' | 'TOO_FEW_PARTIALS' | 'BAD_PARTIAL'

/** A value that is no valid BLS12-381 object, or too few of them. `data` names what was expected. */
export class BlsError extends OpenPoolsError<BlsErrorCode> {}
