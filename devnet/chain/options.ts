/** Everything one can choose about a local chain. */
export type ChainOptions = {
  /** Folder for the execution client's files; undefined = a temporary one, deleted at the end. */
  readonly dataDir?: string | undefined
  /** Address that every port is bound to. */
  readonly host: string
  /** TCP ports; 0 = any free one. */
  readonly beaconPort: number
  readonly executionPort: number
  readonly enginePort: number
  /** Seconds per slot, a whole number (execution blocks carry whole seconds). */
  readonly slotSeconds: number
  /** Seconds between the execution client being ready and genesis. */
  readonly genesisDelay: number
  /** Validators of the chain's own. They must be two thirds of all that are active for it to finalize without the others. */
  readonly validators: number
  /** Log a line for every slot to stderr. */
  readonly verbose: boolean
}

/** What `main.ts` prints as one line of JSON on stdout once the chain can be used. */
export type ChainReady = {
  readonly beaconUrl: string
  readonly executionUrl: string
  readonly engineUrl: string
  /** Process id of the execution client. */
  readonly executionPid: number
  readonly chainId: number
  /** Unix seconds. */
  readonly genesisTime: number
  readonly slotSeconds: number
  readonly depositContract: string
  /** Holder of the prefunded accounts, path m/44'/60'/0'/0/i. */
  readonly mnemonic: string
  readonly accounts: number
}

export const DEFAULT_OPTIONS: ChainOptions = {
  host: '127.0.0.1',
  beaconPort: 0,
  executionPort: 0,
  enginePort: 0,
  slotSeconds: 1,
  genesisDelay: 2,
  validators: 16,
  verbose: false,
}
