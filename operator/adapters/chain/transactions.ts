import { setTimeout as delay } from 'node:timers/promises'
import { Transaction } from 'ethers'
import { reasonOf } from '../../core/errors.ts'
import type { Hex } from '../../core/ids.ts'
import { toAddress, toRoot } from '../../core/parse.ts'
import { ChainError, type TransactionOutcome } from '../../core/ports/chain.ts'
import type { Log } from '../../core/ports/log.ts'
import type { TransactionSigner } from '../../core/ports/signer.ts'
import type { Store } from '../../core/ports/store.ts'
import type { BlockRef } from './blocks.ts'
import { bumpFees, type Fees, suggestFees } from './fees.ts'
import { type PendingTransaction, PendingTransactions, type TransactionRequest } from './pending-transactions.ts'
import { decodeRevert, isRevert } from './revert.ts'
import { type ChainRpc, toQuantity } from './rpc.ts'

/** Another node with the same key took the nonce: begin again, but not for ever. */
const ATTEMPTS = 5
/** Looks for a receipt once the nonce is used, before the transaction counts as replaced. */
const RECEIPT_LOOKS = 10
const SPARE_GAS = 20_000n

type Refusal = Extract<TransactionOutcome, { status: 'refused' }>

export type SenderOptions = {
  readonly rpc: ChainRpc
  readonly signer: TransactionSigner
  readonly store: Store
  readonly log: Log
  /** Between two looks whether a transaction is included. */
  readonly pollMs: number
  /** After this long without inclusion, and some blocks that left it out, the fee is raised. */
  readonly bumpAfterMs: number
  readonly bumpAfterBlocks: number
}

/**
 * The one place that sends. Calls are simulated first: a refusal (another keeper was faster) costs nothing. Nonces are given
 * out one at a time; waiting for inclusion overlaps. What was sent is recorded and looked after until its nonce is used, also
 * after a restart.
 */
export class TransactionSender {
  readonly #options: SenderOptions
  readonly #pending: PendingTransactions
  readonly #closed: AbortSignal
  /** The last send in line: the next one waits for it. */
  #line: Promise<unknown> = Promise.resolve()
  #look: { readonly at: number; readonly used: Promise<number> } = { at: Number.NEGATIVE_INFINITY, used: Promise.resolve(0) }

  /** Looks after what an earlier run left pending; everything ends with the signal. */
  constructor(options: SenderOptions, signal: AbortSignal) {
    this.#options = options
    this.#closed = signal
    const address = options.signer.address.toLowerCase()
    this.#pending = new PendingTransactions({ store: options.store, chainId: options.rpc.identity.chainId, address })
    for (const transaction of this.#pending.all()) this.#lookAfter(transaction)
  }

  /** Undefined when the call would go through now, else the refusal. Throws `ChainError`. */
  async simulate(request: TransactionRequest, block: string = 'latest', signal?: AbortSignal): Promise<Refusal | undefined> {
    try {
      await this.#options.rpc.request('eth_call', [this.#callOf(request), block], signal)
      return undefined
    } catch (error) {
      const refusal = refusalOf(error)
      if (refusal === undefined) throw error
      return refusal
    }
  }

  /**
   * Simulates, sends and waits until the transaction is included. Throws `ChainError` when it could not be sent; once it is
   * sent, outages are waited out. A caller that aborts leaves the transaction on its way.
   */
  async send(request: TransactionRequest, signal?: AbortSignal): Promise<TransactionOutcome> {
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      const refusal = await this.simulate(request, 'latest', signal)
      if (refusal !== undefined) return refusal
      const sent = await this.#inLine(() => this.#dispatch(request, signal))
      const outcome = await unlessAborted(this.#settle(sent), signal)
      if (outcome !== 'replaced') return outcome
      this.#options.log.warn('transaction replaced by another of the same nonce', { label: request.label, nonce: sent.nonce })
    }
    throw new ChainError('REFUSED', `${request.label}: its nonce was taken ${ATTEMPTS} times; does another process use this key?`)
  }

  #inLine<T>(action: () => Promise<T>): Promise<T> {
    const turn = this.#line.then(action, action)
    this.#line = turn.catch(() => undefined)
    return turn
  }

  async #dispatch(request: TransactionRequest, signal?: AbortSignal): Promise<PendingTransaction> {
    const { rpc } = this.#options
    const head = await this.#head(signal)
    const [estimate, used, fees] = await Promise.all([
      rpc.request('eth_estimateGas', [this.#callOf(request)], signal),
      this.#usedNonces(signal),
      suggestFees(rpc, head, signal),
    ])
    const wanted = (BigInt(String(estimate)) * 5n) / 4n + SPARE_GAS
    const gasLimit = wanted > head.gasLimit ? head.gasLimit : wanted
    const nonce = this.#freeNonce(used)
    const transaction = this.#sign({ ...request, nonce, gasLimit, hashes: [], sentAtBlock: head.number }, fees)
    this.#pending.put(transaction)
    try {
      await this.#broadcast(transaction, signal)
    } catch (error) {
      // Refused, it never was on its way; otherwise it may be, and its nonce stays taken.
      if (error instanceof ChainError && error.code === 'REFUSED') {
        this.#pending.delete(nonce)
        throw error
      }
      this.#options.log.warn('transaction may not have been sent, will be repeated', { label: request.label, reason: reasonOf(error) })
    }
    this.#options.log.debug('transaction sent', { label: request.label, nonce, hash: transaction.hashes.at(-1) })
    return transaction
  }

  /** The first nonce, from the next that the chain expects, with which nothing is on its way. */
  #freeNonce(used: number): number {
    const taken = new Set(this.#pending.all().map(({ nonce }) => nonce))
    let nonce = used
    while (taken.has(nonce)) nonce++
    return nonce
  }

  /**
   * A reorganization that took back an included transaction freed its nonce, and those sent after it wait until that is used
   * again. What had been sent may make no sense on the new branch: an empty transfer to ourselves takes its place. (Whoever
   * wanted it sees that it is due again.)
   */
  async #closeGap(): Promise<void> {
    const used = await this.#usedNonces()
    const waiting = this.#pending.all().map(({ nonce }) => nonce)
    if (waiting.includes(used) || !waiting.some((nonce) => nonce > used)) return
    const to = toAddress(this.#options.signer.address)
    this.#options.log.warn('a nonce was freed by a reorganization and is used up', { nonce: used })
    this.#lookAfter(await this.#dispatch({ to, data: '0x', value: 0n, label: 'freed nonce' }))
  }

  #lookAfter(transaction: PendingTransaction): void {
    void this.#settle(transaction).catch(() => undefined)
  }

  #sign(
    transaction: Omit<PendingTransaction, 'raw' | 'sentAt' | keyof Fees>,
    { maxFeePerGas, maxPriorityFeePerGas }: Fees,
  ): PendingTransaction {
    const { to, data, value, nonce, gasLimit, hashes } = transaction
    const { chainId } = this.#options.rpc.identity
    const unsigned = Transaction.from({ type: 2, chainId, to, data, value, nonce, gasLimit, maxFeePerGas, maxPriorityFeePerGas })
    const raw = this.#options.signer.signTransaction(unsigned.unsignedSerialized as Hex)
    const hash = toRoot(Transaction.from(raw).hash)
    return { ...transaction, maxFeePerGas, maxPriorityFeePerGas, raw, hashes: [...hashes, hash], sentAt: Date.now() }
  }

  async #broadcast({ raw }: PendingTransaction, signal?: AbortSignal): Promise<void> {
    try {
      await this.#options.rpc.request('eth_sendRawTransaction', [raw], signal)
    } catch (error) {
      if (!(error instanceof ChainError) || !/already (known|in)|known transaction/i.test(error.message)) throw error
    }
  }

  /** Until the nonce is used on chain: watches, raises the fee when stuck. `replaced`: by a transaction that is not ours. */
  async #settle(first: PendingTransaction): Promise<TransactionOutcome | 'replaced'> {
    let transaction = first
    for (let looks = 0; ; ) {
      await delay(this.#options.pollMs, undefined, { signal: this.#closed })
      try {
        const used = await this.#lookAtNonces()
        if (used > transaction.nonce) {
          const outcome = (await this.#receiptOf(transaction)) ?? (++looks < RECEIPT_LOOKS ? undefined : 'replaced')
          if (outcome === undefined) continue
          this.#pending.delete(transaction.nonce)
          return outcome
        }
        looks = 0
        if (used < transaction.nonce) await this.#inLine(() => this.#closeGap())
        if (Date.now() - transaction.sentAt > this.#options.bumpAfterMs) transaction = await this.#bumpIfPassedOver(transaction)
      } catch (error) {
        this.#options.log.debug('cannot look after a transaction', { label: transaction.label, reason: reasonOf(error) })
      }
    }
  }

  /** A chain that makes no blocks is not a reason to pay more; blocks without the transaction are. */
  async #bumpIfPassedOver(transaction: PendingTransaction): Promise<PendingTransaction> {
    const head = await this.#head()
    return head.number - transaction.sentAtBlock < this.#options.bumpAfterBlocks ? transaction : this.#bump(transaction, head)
  }

  async #bump(transaction: PendingTransaction, head: BlockRef): Promise<PendingTransaction> {
    const fees = bumpFees(transaction, await suggestFees(this.#options.rpc, head))
    if (fees === undefined) return this.#sendAgain(transaction, head)
    const bumped = this.#sign({ ...transaction, sentAtBlock: head.number }, fees)
    this.#pending.put(bumped)
    this.#options.log.info('transaction is stuck, raising its fee', { label: bumped.label, nonce: bumped.nonce, ...fees })
    try {
      await this.#broadcast(bumped)
      return bumped
    } catch (error) {
      if (!(error instanceof ChainError) || error.code !== 'REFUSED') return bumped
      // Too poor for more: keep the one that is out there (the client may have forgotten it), and ask again later.
      return this.#sendAgain(transaction, head)
    }
  }

  async #sendAgain(transaction: PendingTransaction, head: BlockRef): Promise<PendingTransaction> {
    await this.#broadcast(transaction)
    return { ...transaction, sentAt: Date.now(), sentAtBlock: head.number }
  }

  async #receiptOf(transaction: PendingTransaction): Promise<TransactionOutcome | undefined> {
    for (const hash of transaction.hashes.toReversed()) {
      const receipt = (await this.#options.rpc.request('eth_getTransactionReceipt', [hash])) as Readonly<Record<string, string>> | null
      if (receipt === null) continue
      const { status, blockNumber, gasUsed } = receipt
      if (Number(status) === 1) return { status: 'included', hash, blockNumber: Number(blockNumber), gasUsed: BigInt(gasUsed ?? 0) }
      // It failed on chain after it had passed: what it met there is what the same call meets in that block's state.
      const refusal = await this.simulate(transaction, toQuantity(Number(blockNumber))).catch(() => undefined)
      return refusal ?? { status: 'refused', error: 'Reverted', args: { hash } }
    }
    return undefined
  }

  /** All that wait look together: one answer serves all who ask within a poll. */
  #lookAtNonces(): Promise<number> {
    const now = performance.now()
    if (now - this.#look.at > 0.9 * this.#options.pollMs) this.#look = { at: now, used: this.#usedNonces() }
    return this.#look.used
  }

  async #usedNonces(signal?: AbortSignal): Promise<number> {
    return Number(await this.#options.rpc.request('eth_getTransactionCount', [this.#options.signer.address, 'latest'], signal))
  }

  async #head(signal?: AbortSignal): Promise<BlockRef> {
    const head = await this.#options.rpc.block('latest', signal)
    if (head === undefined) throw new ChainError('MALFORMED', 'expected a latest block, got none')
    return head
  }

  #callOf({ to, data, value }: TransactionRequest) {
    return { from: toAddress(this.#options.signer.address), to, data, value: toQuantity(value) }
  }
}

/** The refusal behind a JSON-RPC error, or undefined when the call was not judged at all. */
function refusalOf(error: unknown): Refusal | undefined {
  if (!(error instanceof ChainError) || error.code !== 'REFUSED') return undefined
  const { revert } = error.data
  const custom = typeof revert === 'string' ? decodeRevert(revert) : undefined
  if (custom !== undefined) return { status: 'refused', error: custom.name, args: custom.args }
  if (isRevert(error)) return { status: 'refused', error: 'Reverted', args: { reason: error.message } }
  return undefined
}

/** The work's result, or the signal's reason when it aborts first. Leaves no listener on a signal that lives long. */
async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work
  signal.throwIfAborted()
  const { promise, reject } = Promise.withResolvers<never>()
  const onAbort = (): void => reject(signal.reason)
  signal.addEventListener('abort', onAbort)
  try {
    return await Promise.race([work, promise])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}
