import type { BlsSignature, Hex, PublicKey, Root, Slot, ValidatorIndex } from '../../../operator/core/ids.ts'
import type { BeaconNode, ChainSpec, ProducedBlock } from '../../../operator/core/ports/beacon.ts'
import { BeaconError } from '../../../operator/core/ports/beacon.ts'
import type { SimChain, View } from './chain.ts'
import { sha } from './crypto.ts'
import type { Plan } from './plan.ts'
import { SLOT_MS, SLOTS_PER_EPOCH } from './plan.ts'
import type { Random } from './random.ts'
import type { Scheduler } from './scheduler.ts'

export const FEE_RECIPIENT = `0x${'fe'.repeat(20)}` as const

const SPEC: ChainSpec = {
  presetBase: 'mainnet',
  genesisTimeMs: 0,
  genesisValidatorsRoot: sha('genesis') as Root,
  genesisForkVersion: '0x00000000',
  slotDurationMs: SLOT_MS,
  slotsPerEpoch: SLOTS_PER_EPOCH,
  epochsPerHistoricalVector: 65_536,
  depositChainId: 1n,
  values: {},
}

export const signingRoots: BeaconNode['signingRoots'] = {
  attestation: (data) => sha('attestation', JSON.stringify(data)) as Root,
  attestationRoot: (target, data) => sha('attestation root', target, data) as Root,
  block: (slot, root) => sha('block', slot, root) as Root,
  randao: (epoch) => sha('randao', epoch) as Root,
  exit: (epoch, validator) => sha('exit', epoch, validator) as Root,
  deposit: () => sha('deposit') as Root,
}

export type SimBeaconOptions = {
  readonly plan: Plan
  readonly scheduler: Scheduler
  readonly random: Random
  readonly chain: SimChain
  readonly view: View
  readonly isAlive: () => boolean
  readonly feeRecipient: Hex
  /** Is the reveal right? A block with a wrong one would be refused. */
  readonly isReveal: (validator: ValidatorIndex, root: Root, signature: BlsSignature) => boolean
}

/** A process's beacon node: slow and failing while the storm lasts, with its own view of the chain. */
export function simBeacon(options: SimBeaconOptions): BeaconNode {
  const { plan, scheduler, random, chain, view, isAlive } = options
  let blocks = 0

  function answer<T>(make: () => T): Promise<T> {
    const stormy = scheduler.now < plan.healAt
    const delay = stormy && random.chance(0.1) ? random.int(1, 500) : random.int(0, 3)
    const fails = stormy && random.chance(plan.beaconFailure)
    return new Promise((resolve, reject) => {
      scheduler.at(scheduler.now + delay, () => {
        if (!isAlive()) return
        if (fails) reject(new BeaconError('UNREACHABLE', 'expected an answer, got none'))
        else resolve(make())
      })
    })
  }

  const poolOf = (validator: number) => plan.pools.find((pool) => pool.validatorIndex === validator)
  const publicKey = (validator: number): PublicKey => `0x${validator.toString(16).padStart(96, '0')}` as PublicKey
  const missing = (name: string) => (): never => {
    throw new Error(`duties do not call ${name}`)
  }

  return {
    spec: SPEC,
    signingRoots,
    attesterDuties: (epoch, indices) =>
      answer(() => ({
        dependentRoot: chain.dependentRoot(view, epoch - 1),
        duties: indices.flatMap((validatorIndex) => {
          const planned = poolOf(validatorIndex)?.attestations.find((one) => one.epoch === epoch)
          if (planned === undefined) return []
          const slot = (view.moved ? planned.movedTo : undefined) ?? planned.slot
          const committee = { committeeIndex: 0, committeeLength: 100, committeesAtSlot: 1, validatorCommitteeIndex: validatorIndex - 100 }
          return [{ publicKey: publicKey(validatorIndex), validatorIndex, slot, ...committee }]
        }),
      })),
    proposerDuties: (epoch) =>
      answer(() => ({
        dependentRoot: chain.dependentRoot(view, epoch),
        duties: plan.pools.flatMap(({ validatorIndex, proposals }) =>
          proposals
            .filter((slot) => Math.floor(slot / SLOTS_PER_EPOCH) === epoch)
            .map((slot) => ({ publicKey: publicKey(validatorIndex), validatorIndex, slot })),
        ),
      })),
    attestationData: (slot) => answer(() => chain.data(view, slot)),
    produceBlock: (slot, reveal) =>
      answer(() => {
        const pool = plan.pools.find(({ proposals }) => proposals.includes(slot))
        if (pool === undefined) throw new Error(`no pool proposes in slot ${slot}`)
        const root = signingRoots.randao(Math.floor(slot / SLOTS_PER_EPOCH) as Parameters<typeof signingRoots.randao>[0])
        if (!options.isReveal(pool.validatorIndex, root, reveal)) throw new Error(`wrong RANDAO reveal for slot ${slot}`)
        blocks += 1
        const facts = { slot, proposerIndex: pool.validatorIndex, parentRoot: view.head.root, feeRecipient: options.feeRecipient }
        return decodeBlock({
          fork: 'fulu',
          blinded: false,
          ssz: Buffer.from(JSON.stringify({ ...facts, nonce: `${view.index}/${blocks}` })),
        })
      }),
    prepareProposers: () => answer(() => undefined),
    publishAttestation: ({ data, duty, signature }) =>
      answer(() => {
        chain.published.attestations.push({ validator: duty.validatorIndex, data, root: signingRoots.attestation(data), signature })
      }),
    publishBlock: ({ slot, proposerIndex, blockRoot }, signature) =>
      answer(() => {
        chain.published.blocks.push({ validator: proposerIndex, slot, root: signingRoots.block(slot, blockRoot), signature })
      }),
    publishExit: ({ epoch, validatorIndex, signature }) =>
      answer(() => {
        chain.published.exits.push({ validator: validatorIndex, root: signingRoots.exit(epoch, validatorIndex), signature })
      }),
    decodeBlock,
    header: (id) =>
      answer(() => {
        const block = id === 'head' ? view.head : [...view.blocks.values()].find(({ root }) => root === id)
        if (block === undefined) return undefined
        const roots = { stateRoot: sha('state', block.root) as Root, bodyRoot: sha('body', block.root) as Root }
        return { root: block.root, slot: block.slot, proposerIndex: 0 as ValidatorIndex, parentRoot: block.parent, ...roots }
      }),
    includedAttesters: (id) =>
      answer(() => {
        const block = [...view.blocks.values()].find(({ root }) => root === id)
        const before = chain.published.attestations.filter(({ data }) => data.slot < (block?.slot ?? 0))
        return before.map(({ data, root, validator }) => ({ slot: data.slot, committeeIndex: 0, positions: [validator - 100], root }))
      }),
    follow({ onHead }, signal) {
      view.listeners.add(onHead)
      signal.addEventListener('abort', () => view.listeners.delete(onHead), { once: true })
    },
    validators: missing('validators'),
    executionPayload: missing('executionPayload'),
    stateSsz: missing('stateSsz'),
    finality: missing('finality'),
  }
}

function decodeBlock({ fork, blinded, ssz }: Pick<ProducedBlock, 'fork' | 'blinded' | 'ssz'>): ProducedBlock {
  const facts = JSON.parse(Buffer.from(ssz).toString()) as {
    readonly slot: Slot
    readonly proposerIndex: ValidatorIndex
    readonly parentRoot: Root
    readonly feeRecipient: Hex
  }
  return { fork, blinded, ssz, ...facts, blockRoot: sha('block root', Buffer.from(ssz).toString('hex')) as Root }
}
