import type { JsonRpcProvider, Provider, TransactionReceipt, TransactionRequest, Wallet } from 'ethers'
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
  await assertHolds({ provider, address: wallet.address, value: BigInt(request.value ?? 0n) })
  await wallet.call(request)
  const gasLimit = ((await wallet.estimateGas(request)) * GAS_MARGIN_PERCENT) / 100n
  const { hash } = await wallet.sendTransaction({ ...request, gasLimit })
  return waitForReceipt(provider, hash)
}

type Payment = { readonly provider: Provider; readonly address: string; readonly value: bigint }

/** Does an account hold what it is to send? Clients refuse in words of their own, or in none. Throws `WalletError` TOO_LITTLE. */
export async function assertHolds({ provider, address, value }: Payment): Promise<void> {
  const balance = await provider.getBalance(address)
  if (value <= balance) return
  const [held, sent] = ethTexts(balance, value)
  throw new WalletError('TOO_LITTLE', `${address} holds ${held}, less than the ${sent} to send: send less, or fund it first`)
}
