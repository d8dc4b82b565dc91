import type { JsonRpcProvider, TransactionReceipt, TransactionRequest, Wallet } from 'ethers'
import { ethTexts } from '../../core/amounts.ts'
import { waitForReceipt } from './receipt.ts'
import { WalletError } from './wallet.ts'

/** Some clients estimate the gas used, which the 63/64 of EIP-150 makes too little for calls within calls. */
const GAS_MARGIN_PERCENT = 130n

/**
 * Sends a person's transaction and waits for its inclusion. Simulates first, so that a refusal comes with its reason and costs
 * nothing. Throws `WalletError` TOO_LITTLE, `ReceiptError`, and what the client throws (`explain` makes a sentence of it).
 */
export async function transact(wallet: Wallet, request: TransactionRequest): Promise<TransactionReceipt> {
  const provider = wallet.provider as JsonRpcProvider
  const value = BigInt(request.value ?? 0n)
  const balance = await provider.getBalance(wallet.address)
  if (value > balance) {
    const [held, sent] = ethTexts(balance, value)
    throw new WalletError('TOO_LITTLE', `${wallet.address} holds ${held}, less than the ${sent} to send: send less, or fund it first`)
  }
  await wallet.call(request)
  const gasLimit = ((await wallet.estimateGas(request)) * GAS_MARGIN_PERCENT) / 100n
  const { hash } = await wallet.sendTransaction({ ...request, gasLimit })
  return waitForReceipt(provider, hash)
}
