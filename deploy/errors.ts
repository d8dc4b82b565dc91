import { OpenPoolsError } from '../operator/core/errors.ts'

export type DeployErrorCode =
  | 'BEACON_NODE_UNREACHABLE'
  | 'BEACON_FACT_MISSING'
  | 'NO_KNOWN_FORK'
  | 'WRONG_CHAIN'
  | 'BAD_ARGUMENT'
  | 'DEPLOYMENT_FAILED'
  | 'WRONG_ADDRESS'
  | 'TOO_POOR'
  | 'NOT_VERIFIED'

/** A deployment that can't be made, or went wrong, and why. */
export class DeployError extends OpenPoolsError<DeployErrorCode> {}
