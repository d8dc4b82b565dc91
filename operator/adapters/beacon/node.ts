import type { electra, phase0 } from '@lodestar/types'
import type { Epoch, Gwei, Root, Slot } from '../../core/ids.ts'
import { bytesToHex, hexToBytes, toEpoch, toPublicKey, toRoot, toSlot, toValidatorIndex } from '../../core/parse.ts'
import type { BeaconHeaderInfo, BeaconNode, ChainSpec, Duties, HeadEvent, ValidatorInfo } from '../../core/ports/beacon.ts'
import type { EndpointHealth } from '../../core/ports/health.ts'
import type { Log } from '../../core/ports/log.ts'
import { attestationDataFromSsz, attestationDataToSsz, includedCommittees } from './attestations.ts'
import { BlockReader } from './block-reader.ts'
import { decodeBlock, signBlinded, signContents } from './blocks.ts'
import { beaconConfigOf } from './chain-config.ts'
import { follow } from './follow.ts'
import { BeaconSession } from './session.ts'
import { createSigningRoots } from './signing-roots.ts'

/** A state of a large network takes long to serve. */
const STATE_TIMEOUT_MS = 120_000

/** The port, and what the shell shows of the connection. */
export type BeaconNodeClient = BeaconNode & {
  health(): EndpointHealth
  onHealthChange(listener: (health: EndpointHealth) => void): () => void
  /** Throws `BeaconError` when the node does not answer or answers for another chain; sets `health`. */
  checkChain(signal?: AbortSignal): Promise<void>
}

/**
 * The beacon node at a URL. The preset must be applied before this module is imported (`connect.ts` does both).
 */
export function createBeaconNode({
  url,
  spec,
  log,
}: {
  readonly url: string
  readonly spec: ChainSpec
  readonly log: Log
}): BeaconNodeClient {
  const config = beaconConfigOf(spec)
  const session = new BeaconSession({ url, spec, config })
  const blocks = new BlockReader(session)
  const epochOf = (slot: Slot): Epoch => toEpoch(Math.floor(slot / spec.slotsPerEpoch))

  const node: BeaconNodeClient = {
    spec,
    signingRoots: createSigningRoots(spec, config),
    decodeBlock,
    health: () => session.health.current,
    onHealthChange: (listener) => session.health.onChange(listener),
    checkChain: (signal) => session.checkChain(signal),

    attesterDuties(epoch, indices, signal) {
      return session.call(
        {
          name: 'attester duties',
          request: (client, init) => client.validator.getAttesterDuties({ epoch, indices: [...indices] }, { ...init, ...JSON_ANSWER }),
          read: (answer) =>
            duties(answer.meta().dependentRoot, answer.value(), (duty) => ({
              publicKey: toPublicKey(bytesToHex(duty.pubkey)),
              validatorIndex: toValidatorIndex(duty.validatorIndex),
              slot: toSlot(duty.slot),
              committeeIndex: duty.committeeIndex,
              committeeLength: duty.committeeLength,
              committeesAtSlot: duty.committeesAtSlot,
              validatorCommitteeIndex: duty.validatorCommitteeIndex,
            })),
        },
        signal,
      )
    },

    proposerDuties(epoch, signal) {
      return session.call(
        {
          name: 'proposer duties',
          request: (client, init) => client.validator.getProposerDuties({ epoch }, { ...init, ...JSON_ANSWER }),
          read: (answer) =>
            duties(answer.meta().dependentRoot, answer.value(), (duty) => ({
              publicKey: toPublicKey(bytesToHex(duty.pubkey)),
              validatorIndex: toValidatorIndex(duty.validatorIndex),
              slot: toSlot(duty.slot),
            })),
        },
        signal,
      )
    },

    attestationData(slot, _committeeIndex, signal) {
      return session.call(
        {
          name: 'attestation data',
          // From Electra on the data is the same for all committees of a slot, and the index in it is zero.
          request: (client, init) => client.validator.produceAttestationData({ slot, committeeIndex: 0 }, { ...init, ...JSON_ANSWER }),
          read: (answer) => attestationDataFromSsz(answer.value()),
        },
        signal,
      )
    },

    produceBlock(slot, randaoReveal, signal) {
      return session.call(
        {
          name: 'produce block',
          // No builder: the fee recipient of a builder's block is the builder, and members could not judge the payment.
          request: (client, init) =>
            client.validator.produceBlockV3(
              { slot, randaoReveal: hexToBytes(randaoReveal), graffiti: 'Open Pools', builderBoostFactor: 0n },
              init,
            ),
          read: (answer) => {
            const { version: fork, executionPayloadBlinded: blinded } = answer.meta()
            return decodeBlock({ fork, blinded, ssz: answer.ssz() })
          },
        },
        signal,
      )
    },

    prepareProposers(entries, signal) {
      const proposers = entries.map(({ validatorIndex, feeRecipient }) => ({ validatorIndex, feeRecipient }))
      return session.call(
        {
          name: 'prepare proposers',
          request: (client, init) => client.validator.prepareBeaconProposer({ proposers }, init),
          read: nothing,
        },
        signal,
      )
    },

    publishAttestation({ data, duty, signature }, signal) {
      const attestation: electra.SingleAttestation = {
        committeeIndex: duty.committeeIndex,
        attesterIndex: duty.validatorIndex,
        data: attestationDataToSsz(data),
        signature: hexToBytes(signature),
      }
      return session.call(
        {
          name: 'publish attestation',
          request: (client, init) => client.beacon.submitPoolAttestationsV2({ signedAttestations: [attestation] }, init),
          read: nothing,
        },
        signal,
      )
    },

    publishBlock(block, signature, signal) {
      if (block.blinded) {
        const signedBlindedBlock = signBlinded(block, signature)
        return session.call(
          {
            name: 'publish blinded block',
            request: (client, init) => client.beacon.publishBlindedBlockV2({ signedBlindedBlock }, init),
            read: nothing,
          },
          signal,
        )
      }
      const signedBlockContents = signContents(block, signature)
      return session.call(
        { name: 'publish block', request: (client, init) => client.beacon.publishBlockV2({ signedBlockContents }, init), read: nothing },
        signal,
      )
    },

    publishExit({ epoch, validatorIndex, signature }, signal) {
      const signedVoluntaryExit = { message: { epoch, validatorIndex }, signature: hexToBytes(signature) }
      return session.call(
        {
          name: 'publish exit',
          request: (client, init) => client.beacon.submitPoolVoluntaryExit({ signedVoluntaryExit }, init),
          read: nothing,
        },
        signal,
      )
    },

    async validators(ids, stateId, signal) {
      // An empty list of ids would ask for every validator of the network.
      if (ids.length === 0) return []
      return session.call(
        {
          name: 'validators',
          request: (client, init) => client.beacon.postStateValidators({ stateId, validatorIds: [...ids] }, init),
          read: (answer) => answer.value().map(validatorInfo),
        },
        signal,
      )
    },

    header(blockId, signal) {
      return session.find(
        {
          name: `header ${blockId}`,
          request: (client, init) => client.beacon.getBlockHeader({ blockId }, { ...init, ...JSON_ANSWER }),
          read: (answer) => headerInfo(answer.value().root, answer.value().header.message),
        },
        signal,
      )
    },

    async executionPayload(blockId, signal) {
      const block = await blocks.body(blockId, signal)
      if (block === undefined) return undefined
      const { blockNumber, blockHash, timestamp } = block.executionPayload
      return { number: blockNumber, hash: toRoot(bytesToHex(blockHash)), timestamp }
    },

    stateSsz(stateId, signal) {
      return session.find(
        {
          name: `state ${stateId}`,
          request: (client, init) => client.debug.getStateV2({ stateId }, init),
          read: (answer) => ({ fork: answer.meta().version, bytes: answer.ssz() }),
          timeoutMs: STATE_TIMEOUT_MS,
        },
        signal,
      )
    },

    async includedAttesters(blockId, signal) {
      const block = await blocks.body(blockId, signal)
      const sizeOf = (slot: Slot, index: number): Promise<number> => blocks.committeeSize({ slot, epoch: epochOf(slot), index }, signal)
      const included = await Promise.all((block?.attestations ?? []).map((attestation) => includedCommittees(attestation, sizeOf)))
      return included.flat()
    },

    finality(signal) {
      return session.call(
        {
          name: 'finality',
          request: (client, init) => client.beacon.getStateFinalityCheckpoints({ stateId: 'head' }, { ...init, ...JSON_ANSWER }),
          read: (answer) => ({ justified: checkpoint(answer.value().currentJustified), finalized: checkpoint(answer.value().finalized) }),
        },
        signal,
      )
    },

    follow(handlers, signal) {
      const readHead = (abort: AbortSignal): Promise<HeadEvent> => headNow(node, abort)
      const readFinalized = async (abort: AbortSignal) => {
        const { finalized } = await node.finality(abort)
        return { epoch: finalized.epoch, block: finalized.root }
      }
      const source = { url, spec, log, readHead, readFinalized, checkChain: (abort: AbortSignal) => session.checkChain(abort) }
      void follow(source, handlers, signal)
    },
  }
  return node
}

const JSON_ANSWER = { responseWireFormat: 'json' } as const

const nothing = (): void => undefined

function duties<From, To>(dependentRoot: string, from: readonly From[], convert: (duty: From) => To): Duties<To> {
  return { dependentRoot: toRoot(dependentRoot), duties: from.map(convert) }
}

function checkpoint({ epoch, root }: phase0.Checkpoint): { epoch: Epoch; root: Root } {
  return { epoch: toEpoch(epoch), root: toRoot(bytesToHex(root)) }
}

function headerInfo(root: Uint8Array, header: phase0.BeaconBlockHeader): BeaconHeaderInfo {
  return {
    root: toRoot(bytesToHex(root)),
    slot: toSlot(header.slot),
    proposerIndex: toValidatorIndex(header.proposerIndex),
    parentRoot: toRoot(bytesToHex(header.parentRoot)),
    stateRoot: toRoot(bytesToHex(header.stateRoot)),
    bodyRoot: toRoot(bytesToHex(header.bodyRoot)),
  }
}

type ServedValidator = { readonly index: number; readonly balance: number; readonly status: string; readonly validator: phase0.Validator }

function validatorInfo({ index, balance, status, validator }: ServedValidator): ValidatorInfo {
  return {
    index: toValidatorIndex(index),
    publicKey: toPublicKey(bytesToHex(validator.pubkey)),
    status,
    balance: BigInt(balance) as Gwei,
    slashed: validator.slashed,
    activationEpoch: validator.activationEpoch,
    exitEpoch: validator.exitEpoch,
    withdrawableEpoch: validator.withdrawableEpoch,
  }
}

/**
 * The head as an event. The dependent roots come with the attester duties of this epoch and the next, the one answer in which
 * every node gives them; validator 0 always exists.
 */
async function headNow(node: BeaconNode, signal: AbortSignal): Promise<HeadEvent> {
  const header = await node.header('head', signal)
  if (header === undefined) throw new Error('the beacon node has no head yet')
  const { slotsPerEpoch } = node.spec
  const epoch = toEpoch(Math.floor(header.slot / slotsPerEpoch))
  const first = [toValidatorIndex(0)]
  const [previous, current] = await Promise.all([
    node.attesterDuties(epoch, first, signal),
    node.attesterDuties(toEpoch(epoch + 1), first, signal),
  ])
  return {
    slot: header.slot,
    block: header.root,
    state: header.stateRoot,
    epochTransition: header.slot % slotsPerEpoch === 0,
    previousDutyDependentRoot: previous.dependentRoot,
    currentDutyDependentRoot: current.dependentRoot,
  }
}
