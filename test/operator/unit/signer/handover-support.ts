import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import type { Epoch, Hex, MemberIndex, PoolId, PublicKey, Slot } from '../../../../operator/core/ids.ts'
import type { VaultTerm } from '../../../../operator/core/network.ts'
import { toAddress, toPoolId } from '../../../../operator/core/parse.ts'
import type { CeremonyContext, Dealing } from '../../../../operator/core/ports/ceremony.ts'
import type { HandoverContext } from '../../../../operator/core/ports/handover.ts'
import type { KnownTerms } from '../../../../operator/core/ports/signer.ts'
import { thresholdOf } from '../../../../operator/core/vault.ts'
import { resultOf } from '../../../../operator/protocol/dkg/result.ts'
import { handoverResult } from '../../../../operator/protocol/rotation/transcript.ts'
import { openSigner, type Signer } from '../../../../operator/signer/open.ts'
import { newSigner, password, rootOf } from './support.ts'

export const POOL: PoolId = toPoolId(3)
export const MARGIN = 4
export const SLOTS_PER_EPOCH = 4
const contract = toAddress(`0x${'5a'.repeat(20)}`)

/** A producer's key folder, opened; it can be killed and started again. */
export type Node = { readonly id: number; readonly dataDir: string; signer: Signer }

export async function nodesOf(test: TestContext, count: number): Promise<readonly Node[]> {
  const nodes: Node[] = []
  for (let id = 1; id <= count; id++) nodes.push({ id, ...(await newSigner(test)) })
  test.after(() => {
    for (const { signer } of nodes) signer.close()
  })
  return nodes
}

export async function restart(node: Node): Promise<void> {
  node.signer.close()
  node.signer = await openSigner({ dataDir: node.dataDir, password })
}

/** The vault of a round as the chain will tell it. */
export type Vault = {
  readonly round: number
  readonly nodes: readonly Node[]
  readonly groupKey: PublicKey
  readonly publicShares: readonly PublicKey[]
}

/** A key made by these nodes, committed. */
export async function makeKey(nodes: readonly Node[], round = 0): Promise<Vault> {
  const size = nodes.length
  const indices = nodes.map((_, at) => (at + 1) as MemberIndex)
  const contextOf = (at: number): CeremonyContext => ({
    ...{ chainId: 1n, contract, poolId: POOL, kind: 'dkg', round, size, threshold: thresholdOf(size) },
    self: (at + 1) as MemberIndex,
  })
  const joinKeys = await Promise.all(nodes.map(({ signer }, at) => signer.ceremony.begin(contextOf(at))))
  const dealings = await Promise.all(nodes.map(({ signer }, at) => signer.ceremony.deal(contextOf(at), joinKeys)))
  for (const [at, { signer }] of nodes.entries()) for (const dealing of dealings) await signer.ceremony.open(contextOf(at), dealing)
  const reveals = await Promise.all(nodes.map(({ signer }, at) => signer.ceremony.reveal(contextOf(at), indices)))
  const result = resultOf({ context: contextOf(0), dealings, qualified: indices, reveals })
  for (const [at, { signer }] of nodes.entries()) {
    await signer.ceremony.commit(contextOf(at), result)
    await signer.ceremony.erase(contextOf(at))
  }
  return { round, nodes, groupKey: result.groupKey, publicShares: result.publicShares }
}

/** The handover as one producer sees it. */
export function handoverOf(from: Vault, to: { readonly round: number; readonly nodes: readonly Node[] }, node: Node): HandoverContext {
  const size = to.nodes.length
  const [receiver, dealer] = [to.nodes.indexOf(node) + 1, from.nodes.indexOf(node) + 1]
  return {
    ...{ chainId: 1n, contract, poolId: POOL, kind: 'rotation', round: to.round, size, threshold: thresholdOf(size) },
    ...{ oldRound: from.round, oldSize: from.nodes.length, oldThreshold: thresholdOf(from.nodes.length) },
    ...{ groupKey: from.groupKey, oldPublicShares: from.publicShares },
    ...(receiver > 0 && { receiver: receiver as MemberIndex }),
    ...(dealer > 0 && { dealer: (size + dealer) as MemberIndex }),
  }
}

/** Join keys by member number of the handover. */
export async function joinAll(from: Vault, to: { readonly round: number; readonly nodes: readonly Node[] }): Promise<readonly Hex[]> {
  return Promise.all([...to.nodes, ...from.nodes].map((node) => node.signer.handover.begin(handoverOf(from, to, node))))
}

/** What a dealer names: all new members' keys and its own. */
export const namedBy = (keys: readonly Hex[], { size, dealer }: HandoverContext): readonly (Hex | null)[] =>
  keys.map((key, at) => (at < size || at + 1 === dealer ? key : null))

/** Every old member deals. */
export async function dealAll(from: Vault, to: { readonly round: number; readonly nodes: readonly Node[] }): Promise<readonly Dealing[]> {
  const keys = await joinAll(from, to)
  return Promise.all(
    from.nodes.map((node) => {
      const context = handoverOf(from, to, node)
      return node.signer.handover.deal(context, namedBy(keys, context))
    }),
  )
}

/** Makes and stores the new shares of the first t dealings. */
export async function handOver(from: Vault, to: { readonly round: number; readonly nodes: readonly Node[] }): Promise<Vault> {
  const dealings = (await dealAll(from, to)).slice(0, thresholdOf(from.nodes.length))
  const vault = { ...to, groupKey: from.groupKey, publicShares: [] as readonly PublicKey[] }
  for (const node of to.nodes) {
    const context = handoverOf(from, to, node)
    vault.publicShares = handoverResult(context, dealings).publicShares
    for (const dealing of dealings)
      assert.deepEqual(await node.signer.handover.open(context, dealing), { dealer: dealing.dealer, good: true })
    await node.signer.handover.combine(context, dealings)
    await node.signer.handover.commit(context, vault.publicShares)
  }
  return vault
}

export const termOf = ({ round, nodes, publicShares }: Vault, from: number): VaultTerm => ({
  round,
  members: nodes.map(({ id }) => id as never),
  publicShares,
  from: from as Epoch,
})

/** What the chain shows: terms at the head and final, how far it is final, and the last handover that is over. */
export function terms(known: {
  readonly head: readonly VaultTerm[]
  readonly finalized?: readonly VaultTerm[]
  readonly finalizedEpoch: number
  readonly ended?: number
}): KnownTerms {
  const finalized = known.finalized ?? known.head
  return {
    head: new Map([[POOL, { vaults: known.head }]]),
    finalized: new Map([[POOL, { vaults: finalized, ...(known.ended !== undefined && { endedRound: known.ended }) }]]),
    finalizedEpoch: known.finalizedEpoch as Epoch,
    rotationMargin: MARGIN,
    slotsPerEpoch: SLOTS_PER_EPOCH,
  }
}

/** A vote for an epoch, with the checkpoint before as its source. */
export const voteFor = (round: number, epoch: number, change: { readonly source?: number; readonly root?: number } = {}) => ({
  poolId: POOL,
  round,
  slot: (epoch * SLOTS_PER_EPOCH) as Slot,
  sourceEpoch: (change.source ?? epoch - 1) as Epoch,
  targetEpoch: epoch as Epoch,
  signingRoot: rootOf(change.root ?? epoch % 250),
})

/** Does the node sign this vote? The reason why not, else undefined. */
export const refusalOf = (node: Node, request: ReturnType<typeof voteFor>): string | undefined =>
  node.signer.shares.checkAttestation(request)

export const blockAt = (round: number, slot: number) => ({
  poolId: POOL,
  round,
  slot: slot as Slot,
  epoch: Math.floor(slot / SLOTS_PER_EPOCH) as Epoch,
  signingRoot: rootOf(slot % 250),
})
