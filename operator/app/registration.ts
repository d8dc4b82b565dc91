import type { RegisteredPeer } from '../adapters/p2p/network.ts'
import type { Address, ProducerId } from '../core/ids.ts'
import type { NetworkState, Producer } from '../core/network.ts'
import type { ChainSpec } from '../core/ports/beacon.ts'
import type { Parameters } from '../core/ports/chain.ts'
import { AppError } from './errors.ts'

/** The producer that an operator address is registered as. Throws `AppError` NOT_REGISTERED. */
export function ownProducer(state: NetworkState, operator: Address): ProducerId {
  for (const producer of state.producers.values()) if (producer.operator === operator) return producer.id
  const message = `operator ${operator} is not registered with this deployment: register it with "openpools register" first`
  throw new AppError('NOT_REGISTERED', message, { operator })
}

/** Everyone to talk to: registered, neither slashed out nor gone. Who has named its peer id for longest comes first. */
export function peersOf(state: NetworkState): readonly RegisteredPeer[] {
  return [...state.producers.values()]
    .filter(({ slashed, standing }) => !slashed && standing !== 'gone')
    .sort(byPeerId)
    .map(({ id, peerAddress }) => ({ producer: id, address: peerAddress }))
}

/** In one block, who registered with its peer id comes before who changed to it. */
function byPeerId(a: Producer, b: Producer): number {
  const [changed, other] = [a.peerIdSince, b.peerIdSince]
  const byTime = (changed ?? a.registeredAt) - (other ?? b.registeredAt)
  return byTime || Number(changed !== undefined) - Number(other !== undefined) || a.id - b.id
}

type Chains = {
  readonly spec: ChainSpec
  /** Of the execution client. */
  readonly chainId: bigint
}

/** Do the two endpoints serve one chain? Throws `AppError` OTHER_CHAIN. */
export function assertSameChain({ spec, chainId }: Chains): void {
  if (spec.depositChainId === chainId) return
  const message = `the beacon node is of chain ${spec.depositChainId}, the execution client of chain ${chainId}: check --beacon-url and --rpc-url`
  throw new AppError('OTHER_CHAIN', message, { beacon: spec.depositChainId, execution: chainId })
}

/** Was the deployment made for this chain's clock? Throws `AppError` OTHER_CHAIN. */
export function assertSameClock(spec: ChainSpec, parameters: Parameters): void {
  const { genesisTime, secondsPerSlot, slotsPerEpoch } = parameters
  const same =
    genesisTime * 1000 === spec.genesisTimeMs && secondsPerSlot * 1000 === spec.slotDurationMs && slotsPerEpoch === spec.slotsPerEpoch
  if (same) return
  const message = `the deployment is for a chain with genesis at ${genesisTime}, the beacon node's is at ${spec.genesisTimeMs / 1000}: check --directory and --beacon-url`
  throw new AppError('OTHER_CHAIN', message, { genesisTime, secondsPerSlot, slotsPerEpoch })
}
