import { OpenPoolsError } from '../core/errors.ts'

/**
 * Why the operator cannot start, or a command cannot be done. NOT_REGISTERED and ALREADY_REGISTERED: by the contract, for this
 * operator key. OTHER_CHAIN: the endpoints serve different chains. SYNCING: not known
 * before the execution client has caught up. NO_ANSWER: nobody answers at a URL. REFUSED: a contract or
 * another program said no.
 */
export class AppError extends OpenPoolsError<
  'NOT_REGISTERED' | 'ALREADY_REGISTERED' | 'OTHER_CHAIN' | 'SYNCING' | 'NO_ANSWER' | 'REFUSED'
> {}
