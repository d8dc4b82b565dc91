import type { Address } from '../core/ids.ts'

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

/** Everything one can choose about a running operator. What the network fixes is read from its contracts. */
export type OperatorConfig = {
  /** Folder of keys, signing records, state and jobs: this operator's alone. */
  readonly dataDir: string
  readonly passwordFile: string
  /** JSON-RPC of an execution client. */
  readonly rpcUrl: string
  /** Beacon API of a node of the same chain. */
  readonly beaconUrl: string
  /** Directory contract of the deployment. */
  readonly directory: Address
  /** Multiaddr to listen on for other operators. */
  readonly listen: string
  readonly httpHost: string
  readonly httpPort: number
  /** Most wei to pay for one forced exit. */
  readonly maxExitFee: bigint
  readonly logLevel: LogLevel
}

/** Under the data folder. */
export const JOBS_FOLDER = 'jobs'
