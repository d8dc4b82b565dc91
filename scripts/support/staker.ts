import { type Command, Option } from 'commander'
import {
  formatEther,
  type Interface,
  type JsonRpcProvider,
  type LogDescription,
  parseEther,
  type TransactionReceipt,
  type TransactionRequest,
  type Wallet,
} from 'ethers'
import { type Deployment, readDeployment } from '../../operator/adapters/chain/deployment.ts'
import { waitForReceipt } from '../../operator/adapters/chain/receipt.ts'
import { explain } from '../../operator/adapters/chain/revert.ts'
import { connectProvider, openWallet } from '../../operator/adapters/chain/wallet.ts'
import { OpenPoolsError } from '../../operator/core/errors.ts'
import type { Hex } from '../../operator/core/ids.ts'
import { toAddress } from '../../operator/core/parse.ts'

export type ConnectionFlags = { readonly rpcUrl: string; readonly directory: string; readonly json?: boolean }
export type WalletFlags = ConnectionFlags & { readonly keyFile: string; readonly passwordFile: string }

export class AmountError extends OpenPoolsError<'NOT_AN_AMOUNT' | 'NOT_A_REQUEST' | 'TOO_MUCH'> {}

/** Flags that every command shares; each can be given by an environment variable instead. */
export function withConnection(command: Command): Command {
  return command
    .addOption(new Option('--rpc-url <url>', "an execution client's JSON-RPC").env('OPENPOOLS_RPC_URL').makeOptionMandatory())
    .addOption(new Option('--directory <address>', "the deployment's directory contract").env('OPENPOOLS_DIRECTORY').makeOptionMandatory())
    .option('--json', 'print one JSON object instead of text')
}

export function withWallet(command: Command): Command {
  return withConnection(command)
    .addOption(new Option('--key-file <path>', 'encrypted key file (Web3 secret storage)').env('OPENPOOLS_KEY_FILE').makeOptionMandatory())
    .addOption(
      new Option('--password-file <path>', "file with the key file's password").env('OPENPOOLS_PASSWORD_FILE').makeOptionMandatory(),
    )
}

/** Wei of an amount a person typed in ETH. Throws `AmountError`. */
export function parseAmount(text: string): bigint {
  try {
    const amount = parseEther(text)
    if (amount > 0n) return amount
  } catch {
    // said below, with what came
  }
  throw new AmountError('NOT_AN_AMOUNT', `expected an amount of ETH such as 1.5, got ${text}`, { text })
}

/** A withdrawal request's number as a person typed it. Throws `AmountError`. */
export function parseRequestId(text: string): string {
  if (/^[1-9]\d*$/.test(text)) return text
  throw new AmountError('NOT_A_REQUEST', `expected the number of a withdrawal request, from 1, got ${text}`, { text })
}

export async function connect(flags: ConnectionFlags): Promise<{ readonly provider: JsonRpcProvider; readonly deployment: Deployment }> {
  const directory = toAddress(flags.directory)
  const provider = await connectProvider(flags.rpcUrl)
  const deployment = await readDeployment(async (to, data) => (await provider.call({ to, data })) as Hex, directory)
  return { provider, deployment }
}

export async function connectWallet(flags: WalletFlags): Promise<{ readonly wallet: Wallet; readonly deployment: Deployment }> {
  const { provider, deployment } = await connect(flags)
  return { wallet: await openWallet(flags, provider), deployment }
}

/** Prints a result for a person or, with --json, for a program (amounts as decimal strings of wei). */
export function print(flags: ConnectionFlags, sentence: string, values: Readonly<Record<string, unknown>>): void {
  if (flags.json) console.log(JSON.stringify(values, (_, value: unknown) => (typeof value === 'bigint' ? value.toString() : value)))
  else console.log(sentence)
}

export const eth = (wei: bigint): string => `${formatEther(wei)} ETH`

/** Runs a program: an expected failure is one sentence on stderr and status 1. */
export async function runProgram(program: Command): Promise<void> {
  try {
    await program.parseAsync()
  } catch (error) {
    console.error(`error: ${explain(error)}`)
    process.exit(1)
  }
  // Nothing is left to do; a provider's sockets would keep the process for a while.
  process.exit(0)
}

/** Some clients estimate the gas used, which the 63/64 of EIP-150 makes too little for calls within calls. */
const GAS_MARGIN_PERCENT = 130n

/** Simulates first, so that a refusal comes with its reason and costs nothing; then sends and waits for inclusion. */
export async function transact(wallet: Wallet, request: TransactionRequest): Promise<TransactionReceipt> {
  const provider = wallet.provider as JsonRpcProvider
  const balance = await provider.getBalance(wallet.address)
  if (BigInt(request.value ?? 0n) > balance) {
    throw new AmountError('TOO_MUCH', `${wallet.address} holds ${eth(balance)}, less than the ${eth(BigInt(request.value ?? 0n))} to send`)
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
  if (found === undefined || found === null) throw new Error(`transaction ${receipt.hash} was included, but there is no ${name} in it`)
  return found
}
