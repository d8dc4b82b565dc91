import { type Endpoints, routes } from '@lodestar/api'
import { ApiError, type ApplicationMethods } from '@lodestar/api/server'
import { DOMAIN_RANDAO, ForkName } from '@lodestar/params'
import { computeEpochAtSlot, computeSigningRoot, createIndexedSignatureSetFromComponents } from '@lodestar/state-transition'
import { type electra, ProducedBlockSource, ssz } from '@lodestar/types'
import { fromHex, toRootHex } from '@lodestar/utils'
import { verifyAggregateAndProof } from '../beacon/attestations.ts'
import { areValid } from '../beacon/signatures.ts'
import { verifyContributionAndProof } from '../beacon/sync-committee.ts'
import type { ApiContext } from './context.ts'
import { dutyMethods } from './duties.ts'
import { each } from './errors.ts'

type Methods = Partial<ApplicationMethods<Endpoints['validator']>>

const WEI_PER_GWEI = 1_000_000_000n

function graffitiBytes(graffiti: string | undefined): Uint8Array {
  const bytes = new Uint8Array(32)
  bytes.set(new TextEncoder().encode(graffiti ?? '').subarray(0, 32))
  return bytes
}

/** What a validator client needs to do its duties. */
export function validatorMethods(context: ApiContext): Methods {
  const { chain, producer, attestations, sync, feeRecipients } = context

  /** Throws unless it is the slot now and the reveal is its proposer's. */
  const checkProposal = (slot: number, randaoReveal: Uint8Array, skipRandaoVerification: boolean): void => {
    if (slot !== chain.clock.slot) throw new ApiError(400, `A block is wanted for slot ${slot}, but it is slot ${chain.clock.slot} now`)
    if (slot <= chain.head.slot) throw new ApiError(400, `Slot ${slot} already has block ${chain.head.rootHex}`)
    if (skipRandaoVerification) return
    const state = chain.states.advanced(chain.head, slot)
    const proposer = state.epochCtx.getBeaconProposer(slot)
    const root = computeSigningRoot(ssz.Epoch, computeEpochAtSlot(slot), chain.config.getDomain(slot, DOMAIN_RANDAO, slot))
    if (!areValid(state, [createIndexedSignatureSetFromComponents(proposer, root, randaoReveal)])) {
      throw new ApiError(400, `The randao reveal is not validator ${proposer}'s, who proposes in slot ${slot}`)
    }
  }

  return {
    ...dutyMethods(context),

    async produceBlockV3({ slot, randaoReveal, graffiti, skipRandaoVerification, feeRecipient }) {
      const { block, payload, consensusReward } = await chain.serial.run(async () => {
        checkProposal(slot, randaoReveal, skipRandaoVerification ?? false)
        return await producer.produce({
          slot,
          randaoReveal,
          graffiti: graffitiBytes(graffiti),
          feeRecipient: feeRecipient === undefined ? undefined : fromHex(feeRecipient),
        })
      })
      return {
        data: { block, kzgProofs: payload.proofs, blobs: payload.blobs },
        meta: {
          version: ForkName.electra,
          executionPayloadBlinded: false,
          executionPayloadValue: payload.value,
          consensusBlockValue: BigInt(consensusReward) * WEI_PER_GWEI,
          executionPayloadSource: ProducedBlockSource.engine,
        },
      }
    },

    async produceAttestationData({ slot }) {
      if (slot > chain.clock.slot) throw new ApiError(400, `Slot ${slot} is in the future: it is slot ${chain.clock.slot} now`)
      return { data: chain.attestationData(slot) }
    },

    async getAggregatedAttestationV2({ attestationDataRoot, slot, committeeIndex }) {
      const data = attestations.aggregate(slot, attestationDataRoot, committeeIndex)
      if (data === undefined) {
        throw new ApiError(404, `No attestation of committee ${committeeIndex} in slot ${slot} for data ${toRootHex(attestationDataRoot)}`)
      }
      return { data, meta: { version: ForkName.electra } }
    },

    async publishAggregateAndProofsV2({ signedAggregateAndProofs }) {
      each(signedAggregateAndProofs, (signed) => {
        // The routes choose the type by the Eth-Consensus-Version header.
        const electraSigned = signed as electra.SignedAggregateAndProof
        if (electraSigned.message.aggregate.committeeBits === undefined) {
          throw new ApiError(400, 'The aggregate has no committee bits; Electra needs them')
        }
        attestations.add(verifyAggregateAndProof(chain, electraSigned))
        chain.emit({ type: routes.events.EventType.attestation, message: electraSigned.message.aggregate })
      })
    },

    async produceSyncCommitteeContribution({ slot, subcommitteeIndex, beaconBlockRoot }) {
      const data = sync.contribution(slot, beaconBlockRoot, subcommitteeIndex)
      if (data === undefined) {
        throw new ApiError(404, `No signature of subcommittee ${subcommitteeIndex} in slot ${slot} for block ${toRootHex(beaconBlockRoot)}`)
      }
      return { data }
    },

    async publishContributionAndProofs({ contributionAndProofs }) {
      each(contributionAndProofs, (signed) => {
        const { slot, root, ...part } = verifyContributionAndProof(chain, signed)
        sync.add(slot, root, part)
        chain.emit({ type: routes.events.EventType.contributionAndProof, message: signed })
      })
    },

    async prepareBeaconProposer({ proposers }) {
      const known = proposers.filter(({ validatorIndex }) => validatorIndex < chain.headState.validators.length)
      for (const { validatorIndex, feeRecipient } of known) feeRecipients.set(validatorIndex, fromHex(feeRecipient))
    },

    // There are no subnets and no builders here; validator clients announce themselves to both all the same.
    async prepareBeaconCommitteeSubnet() {},
    async prepareSyncCommitteeSubnets() {},
    async registerValidator() {},
  }
}
