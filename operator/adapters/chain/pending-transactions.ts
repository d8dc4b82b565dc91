import type { Address, Hex, Root } from '../../core/ids.ts'
import type { Store } from '../../core/ports/store.ts'
import type { Fees } from './fees.ts'

/** A transaction to send; `label` names it in logs. */
export type TransactionRequest = { readonly to: Address; readonly data: Hex; readonly value: bigint; readonly label: string }

/** A transaction that was sent and whose nonce is not used on chain yet; `hashes` of every version of it, newest last. */
export type PendingTransaction = TransactionRequest &
  Fees & {
    readonly nonce: number
    readonly gasLimit: bigint
    readonly raw: Hex
    readonly hashes: readonly Root[]
    readonly sentAt: number
    readonly sentAtBlock: number
  }

const SPACE = 'transactions'
const AMOUNTS = new Set(['value', 'gasLimit', 'maxFeePerGas', 'maxPriorityFeePerGas'])

/** What is on its way, over restarts: a nonce is recorded before its transaction leaves. */
export class PendingTransactions {
  readonly #store: Store
  readonly #space: string

  /** One account of one chain. */
  constructor({ store, chainId, address }: { readonly store: Store; readonly chainId: bigint; readonly address: string }) {
    this.#store = store
    this.#space = `${SPACE}/${chainId}/${address}`
  }

  all(): readonly PendingTransaction[] {
    return this.#store
      .list(this.#space)
      .map(([, text]) => JSON.parse(text, (key, value) => (AMOUNTS.has(key) ? BigInt(value) : value)) as PendingTransaction)
  }

  put(transaction: PendingTransaction): void {
    const text = JSON.stringify(transaction, (_, value) => (typeof value === 'bigint' ? value.toString() : value))
    this.#store.put(this.#space, keyOf(transaction.nonce), text)
  }

  delete(nonce: number): void {
    this.#store.delete(this.#space, keyOf(nonce))
  }
}

const keyOf = (nonce: number): string => String(nonce).padStart(12, '0')
