import type { Interface, JsonRpcProvider, TransactionRequest, Wallet } from 'ethers'
import { isError, ZeroAddress } from 'ethers'
import { createDecoder } from '../../operator/adapters/chain/decode.ts'
import { type Deployment, readDeployment } from '../../operator/adapters/chain/deployment.ts'
import { INTERFACES } from '../../operator/adapters/chain/interfaces.ts'
import { logsOfRange } from '../../operator/adapters/chain/logs.ts'
import { explain } from '../../operator/adapters/chain/revert.ts'
import { ChainRpc } from '../../operator/adapters/chain/rpc.ts'
import { transact } from '../../operator/adapters/chain/transact.ts'
import { connectProvider } from '../../operator/adapters/chain/wallet.ts'
import type { ChainEvent } from '../../operator/core/events.ts'
import type { Address, Hex, Root } from '../../operator/core/ids.ts'
import type { Commitment, CommitmentPhase, NetworkState } from '../../operator/core/network.ts'
import { toRoot } from '../../operator/core/parse.ts'
import type { Call } from '../../operator/core/ports/chain.ts'
import { emptyState, foldEvents } from '../../operator/protocol/state/network-state.ts'
import { DisputeError } from './errors.ts'

/** All that the contracts of a deployment have said, and the means to ask and to tell them more. */
export type Court = {
  readonly provider: JsonRpcProvider
  readonly deployment: Deployment
  readonly chainId: bigint
  readonly state: NetworkState
  /** Pages posted so far, by commitment, in order. */
  readonly pages: ReadonlyMap<number, readonly Hex[]>
}

/** What a call came to, or would. */
export type Ruling =
  | { readonly upheld: true; readonly transaction: Root | null; readonly gas: bigint }
  | { readonly upheld: false; readonly reason: string }

/** Reads all events of a deployment. Throws `WalletError`, `ChainError`, `DeploymentError`. */
export async function openCourt({ rpcUrl, directory }: { readonly rpcUrl: string; readonly directory: Address }): Promise<Court> {
  const provider = await connectProvider(rpcUrl)
  const deployment = await readDeployment(async (to, data) => (await provider.call({ to, data })) as Hex, directory)
  const rpc = await ChainRpc.connect({ url: rpcUrl })
  const events = await readEvents(rpc, deployment)
  const pages = new Map<number, Hex[]>()
  for (const { name, args } of events) {
    if (name === 'StateCommitments.PagePosted') pages.set(args.commitmentId, [...(pages.get(args.commitmentId) ?? []), args.data])
  }
  return { provider, deployment, chainId: rpc.identity.chainId, state: foldEvents(emptyState(), events), pages }
}

async function readEvents(rpc: ChainRpc, { addresses, deploymentBlock }: Deployment): Promise<readonly ChainEvent[]> {
  const decode = createDecoder(addresses)
  const head = await rpc.block('latest')
  const logs = await logsOfRange(rpc, { addresses: Object.values(addresses), from: deploymentBlock, to: head?.number ?? deploymentBlock })
  const times = new Map<Root, number>()
  const events: ChainEvent[] = []
  for (const { address, topics, data, blockNumber, blockHash, logIndex } of logs) {
    const timestamp = times.get(blockHash) ?? (await rpc.block(blockHash))?.timestamp ?? 0
    times.set(blockHash, timestamp)
    const event = decode({ address, topics, data, at: { blockNumber, blockHash, timestamp, logIndex } })
    if (event !== undefined) events.push(event)
  }
  return events
}

/** Throws `DisputeError` UNKNOWN. */
export function commitmentOf({ state }: Court, id: number): Commitment {
  const made = state.commitments.get(id)
  if (made !== undefined) return made
  const there = [...state.commitments.keys()]
  const known = there.length === 0 ? 'none has been made yet' : `the last one is ${there.at(-1)}`
  throw new DisputeError('UNKNOWN', `there is no commitment ${id}: ${known}`, { id })
}

/** How a commitment stands, as a sentence. */
export function standingOf(court: Court, id: number): string {
  const { phase, windowEnds = 0 } = commitmentOf(court, id)
  const standings: Readonly<Record<CommitmentPhase, string>> = {
    open: 'its pages are not all posted yet',
    pending: `it can be disputed until ${new Date(windowEnds * 1000).toISOString()}`,
    disputed: 'it is disputed already',
    finalized: 'it is finalized: it cannot be disputed any more',
    dropped: 'it is dropped: there is nothing to dispute any more',
  }
  return `commitment ${id}: ${standings[phase]}`
}

/** eth_call of one function, decoded. */
export async function ask({ provider, deployment }: Court, { contract, method, args }: Call): Promise<unknown> {
  const abi: Interface = INTERFACES[contract]
  const answer = await provider.call({ to: deployment.addresses[contract], data: abi.encodeFunctionData(method, args) })
  return abi.decodeFunctionResult(method, answer)[0]
}

/** Sends a call, or with no wallet only tries it out. What the contract refuses is no error: it is the ruling. */
export async function rule(
  { provider, deployment }: Court,
  { contract, method, args, value = 0n }: Call,
  wallet?: Wallet,
): Promise<Ruling> {
  const data = INTERFACES[contract].encodeFunctionData(method, args)
  const request: TransactionRequest = { to: deployment.addresses[contract], data, value }
  try {
    if (wallet === undefined) {
      // Some clients estimate the gas of what reverts, too.
      await provider.call({ ...request, from: ZeroAddress })
      return { upheld: true, transaction: null, gas: await provider.estimateGas({ ...request, from: ZeroAddress }) }
    }
    const receipt = await transact(wallet, request)
    return { upheld: true, transaction: toRoot(receipt.hash), gas: receipt.gasUsed }
  } catch (error) {
    if (!isError(error, 'CALL_EXCEPTION')) throw error
    return { upheld: false, reason: explain(error) }
  }
}
