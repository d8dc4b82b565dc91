import type { BeaconConfig } from '@lodestar/config'
import {
  DOMAIN_BEACON_ATTESTER,
  DOMAIN_BEACON_PROPOSER,
  DOMAIN_DEPOSIT,
  DOMAIN_RANDAO,
  DOMAIN_VOLUNTARY_EXIT,
  ForkName,
} from '@lodestar/params'
import { ssz } from '@lodestar/types'
import type { Root } from '../../core/ids.ts'
import { bytesToHex, hexToBytes, toRoot } from '../../core/parse.ts'
import type { AttestationDataValue, BeaconNode, ChainSpec } from '../../core/ports/beacon.ts'
import { attestationDataToSsz } from './attestations.ts'

/** Signing roots (consensus-specs `compute_signing_root`) under this chain's fork schedule. */
export function createSigningRoots(spec: ChainSpec, config: BeaconConfig): BeaconNode['signingRoots'] {
  const startOf = (epoch: number): number => epoch * spec.slotsPerEpoch
  return {
    attestation(data: AttestationDataValue) {
      const domain = config.getDomain(startOf(data.target.epoch), DOMAIN_BEACON_ATTESTER)
      return signingRoot(ssz.phase0.AttestationData.hashTreeRoot(attestationDataToSsz(data)), domain)
    },
    attestationRoot(target, dataRoot) {
      return signingRoot(hexToBytes(dataRoot), config.getDomain(startOf(target), DOMAIN_BEACON_ATTESTER))
    },
    block(slot, blockRoot) {
      return signingRoot(hexToBytes(blockRoot), config.getDomain(slot, DOMAIN_BEACON_PROPOSER))
    },
    randao(epoch) {
      return signingRoot(ssz.Epoch.hashTreeRoot(epoch), config.getDomain(startOf(epoch), DOMAIN_RANDAO))
    },
    exit(epoch, validatorIndex) {
      const domain = config.getDomainAtFork(ForkName.capella, DOMAIN_VOLUNTARY_EXIT)
      return signingRoot(ssz.phase0.VoluntaryExit.hashTreeRoot({ epoch, validatorIndex }), domain)
    },
    deposit({ publicKey, withdrawalCredentials, amount }) {
      const root = ssz.phase0.DepositMessage.hashTreeRoot({
        pubkey: hexToBytes(publicKey),
        withdrawalCredentials: hexToBytes(withdrawalCredentials),
        amount: Number(amount),
      })
      return signingRoot(root, depositDomain(spec))
    },
  }
}

function depositDomain(spec: ChainSpec): Uint8Array {
  const currentVersion = hexToBytes(spec.genesisForkVersion)
  const forkDataRoot = ssz.phase0.ForkData.hashTreeRoot({ currentVersion, genesisValidatorsRoot: new Uint8Array(32) })
  return Uint8Array.from([...DOMAIN_DEPOSIT, ...forkDataRoot.slice(0, 28)])
}

function signingRoot(objectRoot: Uint8Array, domain: Uint8Array): Root {
  return toRoot(bytesToHex(ssz.phase0.SigningData.hashTreeRoot({ objectRoot, domain })))
}
