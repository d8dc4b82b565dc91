import type { Command } from 'commander'
import type { Interface, JsonRpcProvider, LogDescription, TransactionReceipt, TransactionRequest, Wallet } from 'ethers'
import { type Deployment, readDeployment } from '../../operator/adapters/chain/deployment.ts'
import { waitForReceipt } from '../../operator/adapters/chain/receipt.ts'
import { connectProvider, openWallet } from '../../operator/adapters/chain/wallet.ts'
import { directory, flag, json, rpcUrl } from '../../operator/app/cli/flags.ts'
import { ethTexts } from '../../operator/core/amounts.ts'
import { OpenPoolsError } from '../../operator/core/errors.ts'
import type { Address, Hex } from '../../operator/core/ids.ts'

export type ConnectionFlags = { readonly rpcUrl: string; readonly directory: Address; readonly json?: true }
export type WalletFlags = ConnectionFlags & { readonly keyFile: string; readonly passwordFile: string }

export class StakerError extends OpenPoolsError<'TOO_MUCH' | 'NOTHING_HELD' | 'NO_EVENT'> {}

/** Flags that every command shares; each can be given by an environment variable instead. */
export function withConnection(command: Command): Command {
  return command.addOption(rpcUrl()).addOption(directory()).addOption(json())
}

export function withWallet(command: Command): Command {
  return withConnection(command)
    .addOption(
      flag('--key-file <file>', 'encrypted key file (Web3 secret storage, as geth and most wallets write it)').makeOptionMandatory(),
    )
    .addOption(flag('--password-file <file>', 'file with its password').makeOptionMandatory())
}

export async function connect(flags: ConnectionFlags): Promise<{ readonly provider: JsonRpcProvider; readonly deployment: Deployment }> {
  const provider = await connectProvider(flags.rpcUrl)
  const deployment = await readDeployment(async (to, data) => (await provider.call({ to, data })) as Hex, flags.directory)
  return { provider, deployment }
}

export async function connectWallet(flags: WalletFlags): Promise<{ readonly wallet: Wallet; readonly deployment: Deployment }> {
  const { provider, deployment } = await connect(flags)
  return { wallet: await openWallet(flags, provider), deployment }
}

/** Some clients estimate the gas used, which the 63/64 of EIP-150 makes too little for calls within calls. */
const GAS_MARGIN_PERCENT = 130n

/** Simulates first, so that a refusal comes with its reason and costs nothing; then sends and waits for inclusion. Throws `StakerError`. */
export async function transact(wallet: Wallet, request: TransactionRequest): Promise<TransactionReceipt> {
  const provider = wallet.provider as JsonRpcProvider
  const value = BigInt(request.value ?? 0n)
  const balance = await provider.getBalance(wallet.address)
  if (value > balance) {
    const [held, sent] = ethTexts(balance, value)
    throw new StakerError('TOO_MUCH', `${wallet.address} holds ${held}, less than the ${sent} to send: send less, or fund it first`)
  }
  await wallet.call(request)
  const gasLimit = ((await wallet.estimateGas(request)) * GAS_MARGIN_PERCENT) / 100n
  const { hash } = await wallet.sendTransaction({ ...request, gasLimit })
  return waitForReceipt(provider, hash)
}

/** An event that a contract emitted in a transaction. Other contracts' events may look alike, so the address counts too. */
export function eventOf(
  receipt: TransactionReceipt,
  abi: Interface,
  { contract, name }: { readonly contract: string; readonly name: string },
): LogDescription {
  const own = receipt.logs.filter(({ address }) => address.toLowerCase() === contract)
  const found = own.map((log) => abi.parseLog(log)).find((event) => event?.name === name)
  if (found === undefined || found === null) {
    throw new StakerError('NO_EVENT', `expected ${name} from transaction ${receipt.hash}, which was included without it`)
  }
  return found
}
