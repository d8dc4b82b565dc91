import { type Endpoints, routes } from '@lodestar/api'
import { ApiError, type ApplicationMethods } from '@lodestar/api/server'
import { ForkName } from '@lodestar/params'
import type { electra } from '@lodestar/types'
import { verifySingleAttestation } from '../beacon/attestations.ts'
import { verifySyncMessage } from '../beacon/sync-committee.ts'
import type { ApiContext } from './context.ts'
import { each } from './errors.ts'

type Methods = Pick<
  ApplicationMethods<Endpoints['beacon']>,
  | 'getPoolAttestationsV2'
  | 'getPoolAttesterSlashingsV2'
  | 'getPoolProposerSlashings'
  | 'getPoolVoluntaryExits'
  | 'getPoolBLSToExecutionChanges'
  | 'submitPoolAttestationsV2'
  | 'submitPoolAttesterSlashingsV2'
  | 'submitPoolProposerSlashings'
  | 'submitPoolVoluntaryExit'
  | 'submitPoolBLSToExecutionChange'
  | 'submitPoolSyncCommitteeSignatures'
>

const { EventType } = routes.events

/** Operations that wait for a block. Each is verified in full before it is taken in. */
export function poolMethods({ chain, attestations, sync, operations }: ApiContext): Methods {
  const version = { version: ForkName.electra as const }
  const now = () => chain.states.advanced(chain.head, chain.clock.slot)
  return {
    async getPoolAttestationsV2(filter) {
      return { data: attestations.all(filter), meta: version }
    },

    async getPoolAttesterSlashingsV2() {
      return { data: [...operations.attesterSlashings.values()], meta: version }
    },

    async getPoolProposerSlashings() {
      return { data: [...operations.proposerSlashings.values()] }
    },

    async getPoolVoluntaryExits() {
      return { data: [...operations.exits.values()] }
    },

    async getPoolBLSToExecutionChanges() {
      return { data: [...operations.credentialChanges.values()] }
    },

    async submitPoolAttestationsV2({ signedAttestations }) {
      each(signedAttestations, (signed) => {
        if (!('attesterIndex' in signed)) throw new ApiError(400, 'Since Electra attestations are submitted as SingleAttestation')
        attestations.add(verifySingleAttestation(chain, signed))
        chain.emit({ type: EventType.singleAttestation, message: signed })
      })
    },

    async submitPoolAttesterSlashingsV2({ attesterSlashing }) {
      operations.addAttesterSlashing(now(), attesterSlashing as electra.AttesterSlashing)
      chain.emit({ type: EventType.attesterSlashing, message: attesterSlashing })
    },

    async submitPoolProposerSlashings({ proposerSlashing }) {
      operations.addProposerSlashing(now(), proposerSlashing)
      chain.emit({ type: EventType.proposerSlashing, message: proposerSlashing })
    },

    async submitPoolVoluntaryExit({ signedVoluntaryExit }) {
      operations.addExit(now(), signedVoluntaryExit)
      chain.emit({ type: EventType.voluntaryExit, message: signedVoluntaryExit })
    },

    async submitPoolBLSToExecutionChange({ blsToExecutionChanges }) {
      each(blsToExecutionChanges, (change) => {
        operations.addCredentialChange(now(), change)
        chain.emit({ type: EventType.blsToExecutionChange, message: change })
      })
    },

    async submitPoolSyncCommitteeSignatures({ signatures }) {
      each(signatures, (message) => {
        for (const { slot, root, ...part } of verifySyncMessage(chain, message)) sync.add(slot, root, part)
      })
    },
  }
}
