import type { SecretKey } from '@chainsafe/blst'
import { ssz } from '@lodestar/types'
import { getBytes } from 'ethers'
import { g2 } from './block-producers.ts'
import type { G2Words } from './eip2537.ts'

export type AttestationData = {
  readonly slot: number
  readonly index: number
  readonly beaconBlockRoot: string
  readonly source: { readonly epoch: number; readonly root: string }
  readonly target: { readonly epoch: number; readonly root: string }
}

export type Header = {
  readonly slot: number
  readonly proposerIndex: number
  readonly parentRoot: string
  readonly stateRoot: string
  readonly bodyRoot: string
}

/** Under which fork, of which chain. */
export type ForkChoice = { readonly forkVersion: string; readonly genesisValidatorsRoot: string }

const DOMAIN_BEACON_PROPOSER = Uint8Array.of(0, 0, 0, 0)
const DOMAIN_BEACON_ATTESTER = Uint8Array.of(1, 0, 0, 0)

/** A key's signature on an attestation, its root by Lodestar. */
export function signAttestation(key: SecretKey, data: AttestationData, fork: ForkChoice): G2Words {
  const root = ssz.phase0.AttestationData.hashTreeRoot({
    slot: data.slot,
    index: data.index,
    beaconBlockRoot: getBytes(data.beaconBlockRoot),
    source: { epoch: data.source.epoch, root: getBytes(data.source.root) },
    target: { epoch: data.target.epoch, root: getBytes(data.target.root) },
  })
  return g2(key.sign(signingRoot(root, DOMAIN_BEACON_ATTESTER, fork)))
}

/** A key's signature on a block, its root by Lodestar. */
export function signHeader(key: SecretKey, header: Header, fork: ForkChoice, domainType: Uint8Array = DOMAIN_BEACON_PROPOSER): G2Words {
  const root = ssz.phase0.BeaconBlockHeader.hashTreeRoot({
    slot: header.slot,
    proposerIndex: header.proposerIndex,
    parentRoot: getBytes(header.parentRoot),
    stateRoot: getBytes(header.stateRoot),
    bodyRoot: getBytes(header.bodyRoot),
  })
  return g2(key.sign(signingRoot(root, domainType, fork)))
}

function signingRoot(objectRoot: Uint8Array, domainType: Uint8Array, fork: ForkChoice): Uint8Array {
  const domain = new Uint8Array(32)
  domain.set(domainType)
  const forkData = { currentVersion: getBytes(fork.forkVersion), genesisValidatorsRoot: getBytes(fork.genesisValidatorsRoot) }
  domain.set(ssz.phase0.ForkData.hashTreeRoot(forkData).subarray(0, 28), 4)
  return ssz.phase0.SigningData.hashTreeRoot({ objectRoot, domain })
}
