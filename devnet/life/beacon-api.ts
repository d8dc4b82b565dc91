/** What the life reads from the Beacon API, with plain fetch: it shares no code with the operators. */
export type ValidatorRecord = {
  readonly index: number
  readonly pubkey: string
  readonly balance: bigint
  readonly status: string
  readonly exitEpoch: number
}
export type Header = {
  readonly root: string
  readonly slot: number
  readonly proposerIndex: number
  readonly parentRoot: string
  readonly stateRoot: string
}
export type Block = {
  readonly slot: number
  readonly proposerIndex: number
  readonly executionNumber: number
  readonly timestamp: number
  readonly attestations: readonly { readonly slot: number; readonly aggregationBits: string; readonly committeeBits: string }[]
}

type Json = Readonly<Record<string, unknown>>
const FAR_FUTURE = '18446744073709551615'
const TIMEOUT_MS = 10_000

export class BeaconApi {
  readonly #url: string

  constructor(url: string) {
    this.#url = url
  }

  async #get(path: string): Promise<unknown> {
    const response = await fetch(`${this.#url}${path}`, {
      headers: { accept: 'application/json' },
      signal: AbortSignal.timeout(TIMEOUT_MS),
    })
    if (response.status === 404) return undefined
    if (!response.ok) throw new Error(`the beacon API answered ${response.status} to ${path}`)
    return ((await response.json()) as { readonly data: unknown }).data
  }

  async header(id: string): Promise<Header | undefined> {
    const data = (await this.#get(`/eth/v1/beacon/headers/${id}`)) as
      | { root: string; header: { message: Record<string, string> } }
      | undefined
    if (data === undefined) return undefined
    const { slot, proposer_index, parent_root, state_root } = data.header.message
    return {
      root: data.root,
      slot: Number(slot),
      proposerIndex: Number(proposer_index),
      parentRoot: String(parent_root),
      stateRoot: String(state_root),
    }
  }

  async finalizedEpoch(): Promise<number> {
    const data = (await this.#get('/eth/v1/beacon/states/head/finality_checkpoints')) as { finalized: { epoch: string } }
    return Number(data.finalized.epoch)
  }

  async validators(stateId: string, keys: readonly string[]): Promise<readonly ValidatorRecord[]> {
    if (keys.length === 0) return []
    const data = (await this.#get(`/eth/v1/beacon/states/${stateId}/validators?id=${keys.join(',')}`)) as readonly Json[]
    return data.map((entry) => {
      const validator = entry.validator as Record<string, string>
      return {
        index: Number(entry.index),
        pubkey: String(validator.pubkey),
        balance: BigInt(String(entry.balance)),
        status: String(entry.status),
        exitEpoch: validator.exit_epoch === FAR_FUTURE ? Infinity : Number(validator.exit_epoch),
      }
    })
  }

  /** Deposits that the state has taken in but not credited, in gwei by key. */
  async pendingDeposits(stateId: string): Promise<ReadonlyMap<string, bigint>> {
    const data = (await this.#get(`/eth/v1/beacon/states/${stateId}/pending_deposits`)) as readonly { pubkey: string; amount: string }[]
    const sums = new Map<string, bigint>()
    for (const { pubkey, amount } of data) sums.set(pubkey, (sums.get(pubkey) ?? 0n) + BigInt(amount))
    return sums
  }

  async block(id: string): Promise<Block | undefined> {
    const data = (await this.#get(`/eth/v2/beacon/blocks/${id}`)) as
      | { message: { slot: string; proposer_index: string; body: Json } }
      | undefined
    if (data === undefined) return undefined
    const { body, slot, proposer_index } = data.message
    const payload = body.execution_payload as Record<string, string>
    const attestations = body.attestations as readonly { aggregation_bits: string; committee_bits: string; data: { slot: string } }[]
    return {
      slot: Number(slot),
      proposerIndex: Number(proposer_index),
      executionNumber: Number(payload.block_number),
      timestamp: Number(payload.timestamp),
      attestations: attestations.map((entry) => ({
        slot: Number(entry.data.slot),
        aggregationBits: entry.aggregation_bits,
        committeeBits: entry.committee_bits,
      })),
    }
  }

  async committees(
    epoch: number,
  ): Promise<readonly { readonly slot: number; readonly index: number; readonly validators: readonly number[] }[]> {
    const data = (await this.#get(`/eth/v1/beacon/states/head/committees?epoch=${epoch}`)) as readonly {
      slot: string
      index: string
      validators: readonly string[]
    }[]
    return data.map(({ slot, index, validators }) => ({ slot: Number(slot), index: Number(index), validators: validators.map(Number) }))
  }

  async proposers(epoch: number): Promise<readonly { readonly slot: number; readonly index: number }[]> {
    const data = (await this.#get(`/eth/v1/validator/duties/proposer/${epoch}`)) as readonly { slot: string; validator_index: string }[]
    return data.map(({ slot, validator_index }) => ({ slot: Number(slot), index: Number(validator_index) }))
  }
}
