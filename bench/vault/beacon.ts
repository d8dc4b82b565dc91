import { createBeaconConfig, defaultChainConfig } from '@lodestar/config'
import { createSigningRoots } from '../../operator/adapters/beacon/signing-roots.ts'
import type { Epoch, Root, Slot, ValidatorIndex } from '../../operator/core/ids.ts'
import { hexToBytes, toRoot } from '../../operator/core/parse.ts'
import type { AttesterDuty, BeaconNode, ChainSpec } from '../../operator/core/ports/beacon.ts'
import type { AttestationSample, Registered } from './protocol.ts'
import { POOLS } from './spec.ts'

/** Into the slot: when its block has come, as if from the network. */
const BLOCK_MS = 20

const rootOf = (kind: number, value: number): Root =>
  toRoot(`0x${kind.toString(16).padStart(2, '0')}${value.toString(16).padStart(62, '0')}`)

/** Signing roots as shipped. */
export function benchSigningRoots(spec: ChainSpec): BeaconNode['signingRoots'] {
  return createSigningRoots(spec, createBeaconConfig(defaultChainConfig, hexToBytes(spec.genesisValidatorsRoot)))
}

/**
 * A beacon node in the member's own process: it answers at once, the same in every member, and notes when it gave the data
 * and when the signature came back.
 */
export function benchBeacon(spec: ChainSpec, pools: readonly Registered[]) {
  const attestations: AttestationSample[] = []
  const readyAt = new Map<Slot, number>()

  const dutyOf = (epoch: Epoch, validatorIndex: ValidatorIndex): AttesterDuty => ({
    publicKey: pools[validatorIndex]?.publicKey ?? (`0x${'00'.repeat(48)}` as AttesterDuty['publicKey']),
    validatorIndex,
    slot: (epoch * POOLS + validatorIndex) as Slot,
    committeeIndex: 0,
    committeeLength: 128,
    committeesAtSlot: 1,
    validatorCommitteeIndex: validatorIndex,
  })

  const answers: Partial<BeaconNode> = {
    spec,
    signingRoots: benchSigningRoots(spec),
    attesterDuties: async (epoch, indices) => ({ dependentRoot: rootOf(1, 0), duties: indices.map((index) => dutyOf(epoch, index)) }),
    proposerDuties: async () => ({ dependentRoot: rootOf(1, 0), duties: [] }),
    prepareProposers: async () => {},
    // Each block follows the last slot's and includes its attestation.
    header: async (root) => {
      const slot = Number(BigInt(`0x${root.slice(4)}`)) as Slot
      const [parentRoot, stateRoot, bodyRoot] = [rootOf(2, slot - 1), rootOf(4, slot), rootOf(5, slot)]
      return { root: root as Root, slot, proposerIndex: 0 as ValidatorIndex, parentRoot, stateRoot, bodyRoot }
    },
    includedAttesters: async (root) => {
      const slot = (Number(BigInt(`0x${root.slice(4)}`)) - 1) as Slot
      return [{ slot, committeeIndex: 0, positions: [slot % POOLS], root: rootOf(6, slot) }]
    },
    attestationData: async (slot) => {
      const epoch = Math.floor(slot / POOLS) as Epoch
      const source = (epoch - 1) as Epoch
      if (!readyAt.has(slot)) readyAt.set(slot, performance.now())
      return {
        slot,
        beaconBlockRoot: rootOf(2, slot),
        source: { epoch: source, root: rootOf(3, source) },
        target: { epoch, root: rootOf(3, epoch) },
      }
    },
    publishAttestation: async ({ data: { slot } }) => {
      const from = readyAt.get(slot)
      if (from !== undefined) attestations.push({ slot, latencyMs: performance.now() - from })
    },
    follow: ({ onHead }, signal) => {
      let timer: NodeJS.Timeout | undefined
      signal.addEventListener('abort', () => clearTimeout(timer), { once: true })
      const next = (): void => {
        const slot = Math.max(0, Math.floor((Date.now() - spec.genesisTimeMs) / spec.slotDurationMs) + 1) as Slot
        timer = setTimeout(
          () => {
            const [block, state] = [rootOf(2, slot), rootOf(4, slot)]
            const [previousDutyDependentRoot, currentDutyDependentRoot] = [rootOf(1, 0), rootOf(1, 0)]
            onHead({ slot, block, state, epochTransition: slot % POOLS === 0, previousDutyDependentRoot, currentDutyDependentRoot })
            next()
          },
          spec.genesisTimeMs + slot * spec.slotDurationMs + BLOCK_MS - Date.now(),
        )
      }
      next()
    },
  }
  // Whatever else a workflow would ask for shows as a call of undefined.
  return { node: answers as BeaconNode, attestations }
}
