import type { Command } from 'commander'
import type { Interface, JsonRpcProvider, LogDescription, TransactionReceipt, Wallet } from 'ethers'
import { type Deployment, readDeployment } from '../../operator/adapters/chain/deployment.ts'
import { connectProvider, openWallet } from '../../operator/adapters/chain/wallet.ts'
import { directory, flag, json, rpcUrl } from '../../operator/app/cli/flags.ts'
import { OpenPoolsError } from '../../operator/core/errors.ts'
import type { Address, Hex } from '../../operator/core/ids.ts'

export type ConnectionFlags = { readonly rpcUrl: string; readonly directory: Address; readonly json?: true }
export type WalletFlags = ConnectionFlags & { readonly keyFile: string; readonly passwordFile: string }

export class StakerError extends OpenPoolsError<'TOO_MUCH' | 'TOO_LITTLE' | 'NOTHING_HELD' | 'NO_EVENT'> {}

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
