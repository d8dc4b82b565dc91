import type { Epoch } from '../../core/ids.ts'
import type { NetworkState } from '../../core/network.ts'
import type { DutyCertificate } from '../../protocol/messages/certificate.ts'
import { vaultAt } from '../../protocol/state/vaults.ts'

/** Signing keys of the members of the vault in charge at a certificate's slot; undefined when it is not that vault's. */
export function certifyingKeys(state: NetworkState, certificate: DutyCertificate, { slotsPerEpoch }: { readonly slotsPerEpoch: number }) {
  const pool = state.pools.get(certificate.poolId)
  const vault = pool && vaultAt(pool, Math.floor(certificate.slot / slotsPerEpoch) as Epoch)
  if (vault === undefined || vault.round !== certificate.round) return undefined
  if (certificate.participation >> BigInt(vault.members.length) !== 0n) return undefined
  const keys = vault.members.flatMap((id) => state.producers.get(id)?.signingKey ?? [])
  return keys.length === vault.members.length ? keys : undefined
}
