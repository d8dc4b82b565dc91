import { setTimeout as sleep } from 'node:timers/promises'
import { IBlockProducers__factory } from '../../typechain-types/factories/contracts/interfaces/IBlockProducers__factory.js'
import { IRewards__factory } from '../../typechain-types/factories/contracts/interfaces/IRewards__factory.js'
import { readDeployment } from '../adapters/chain/deployment.ts'
import { transact } from '../adapters/chain/transact.ts'
import { connectProvider, openWallet } from '../adapters/chain/wallet.ts'
import { exactEth } from '../core/amounts.ts'
import type { Address, Hex, ProducerId, Root } from '../core/ids.ts'
import { toProducerId, toRoot } from '../core/parse.ts'
import { publicKeysOf } from '../signer/open.ts'
import { AppError } from './errors.ts'
import { type Chain, type Leaving, readLeaving } from './leaving.ts'

/** Between two looks; nothing here changes faster than by slots. */
const PAUSE_MS = 4_000

export type OwnerFiles = { readonly keyFile: string; readonly passwordFile: string }

export type ExitRequest = {
  readonly rpcUrl: string
  readonly directory: Address
  /** Whose exit: by the operator's keys in a folder, or by its number. */
  readonly producer: { readonly dataDir: string } | { readonly id: ProducerId }
  /** Without them nothing is sent. */
  readonly owner?: OwnerFiles
  /** Take the bond; else ask to leave. */
  readonly withdraw: boolean
  /** Repay debt with the owner's CDT before. */
  readonly repay: boolean
  /** Stay until the bond can be taken. */
  readonly wait: boolean
}

/** What was sent, in order. */
export type Sent = { readonly what: 'exit' | 'repay' | 'withdraw'; readonly transaction: Root }
export type ExitOutcome = Leaving & { readonly sent: readonly Sent[] }

/**
 * A producer's way out: asks to leave, or takes the bond, or only looks. What was done before is not done again, so it can be
 * called at any time. `onProgress` hears how far it is while it waits. Throws `AppError` NOT_REGISTERED; what the contract refuses
 * is thrown as the client tells it (`explain` makes a sentence of it).
 */
export async function leave(request: ExitRequest, onProgress: (leaving: Leaving) => void): Promise<ExitOutcome> {
  const provider = await connectProvider(request.rpcUrl)
  try {
    const deployment = await readDeployment(async (to, data) => (await provider.call({ to, data })) as Hex, request.directory)
    const chain = { provider, deployment }
    const producerId = await producerIdOf(chain, request.producer)
    const look = (): Promise<Leaving> => readLeaving(chain, producerId)
    const asked = request.withdraw ? [] : await askToLeave({ chain, request, leaving: await look() })
    if (request.wait) await untilDue({ look, onProgress, repay: request.repay, pauseMs: PAUSE_MS })
    const taken = request.withdraw ? await takeBond({ chain, request, leaving: await look() }) : []
    return { ...(await look()), sent: [...asked, ...taken] }
  } finally {
    provider.destroy()
  }
}

async function producerIdOf({ provider, deployment }: Chain, producer: ExitRequest['producer']): Promise<ProducerId> {
  if ('id' in producer) return producer.id
  const { operatorAddress } = publicKeysOf(producer.dataDir)
  const known = await IBlockProducers__factory.connect(deployment.addresses.blockProducers, provider).producerOf(operatorAddress)
  if (known > 0n) return toProducerId(Number(known))
  throw new AppError('NOT_REGISTERED', `operator ${operatorAddress} is not registered with this deployment`, { operatorAddress })
}

type Step = { readonly chain: Chain; readonly request: ExitRequest; readonly leaving: Leaving }

async function askToLeave({ chain, request, leaving }: Step): Promise<readonly Sent[]> {
  if (request.owner === undefined || leaving.standing !== 'active') return []
  const wallet = await openWallet(request.owner, chain.provider)
  const producers = IBlockProducers__factory.connect(chain.deployment.addresses.blockProducers, wallet)
  const { hash } = await transact(wallet, await producers.exit.populateTransaction(leaving.producerId))
  return [{ what: 'exit', transaction: toRoot(hash) }]
}

async function takeBond({ chain, request, leaving }: Step): Promise<readonly Sent[]> {
  if (request.owner === undefined || leaving.standing === 'gone') return []
  const { addresses } = chain.deployment
  const wallet = await openWallet(request.owner, chain.provider)
  const sent: Sent[] = []
  if (request.repay && leaving.debt > 0n) {
    const rewards = IRewards__factory.connect(addresses.rewards, wallet)
    const { rate } = await rewards.report(await rewards.reportCount())
    const price = leaving.debt * rate
    if (leaving.ownerCdt < price) {
      const [held, asked] = [exactEth(leaving.ownerCdt), exactEth(price)]
      throw new AppError('REFUSED', `the owner holds ${held} CDT, less than the ${asked} that its debt of ${leaving.debt} points costs now`)
    }
    const { hash } = await transact(wallet, await rewards.repay.populateTransaction(leaving.producerId, leaving.debt))
    sent.push({ what: 'repay', transaction: toRoot(hash) })
  }
  const producers = IBlockProducers__factory.connect(addresses.blockProducers, wallet)
  const { hash } = await transact(wallet, await producers.withdrawBond.populateTransaction(leaving.producerId))
  sent.push({ what: 'withdraw', transaction: toRoot(hash) })
  return sent
}

type Waiting = {
  readonly look: () => Promise<Leaving>
  readonly onProgress: (leaving: Leaving) => void
  readonly repay: boolean
  readonly pauseMs: number
}

async function untilDue({ look, onProgress, repay, pauseMs }: Waiting): Promise<void> {
  let shown = ''
  for (;;) {
    const leaving = await look()
    const { refusal, standing, seats, listedUntil, settledThrough } = leaving
    const isDue = refusal === null || (repay && refusal.error === 'InDebt')
    if (isDue || standing !== 'leaving') return
    const news = JSON.stringify({ refusal, seats, listedUntil, settledThrough })
    if (news !== shown) onProgress(leaving)
    shown = news
    await sleep(pauseMs)
  }
}
