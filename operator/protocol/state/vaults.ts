import type { Epoch } from '../../core/ids.ts'
import type { Pool, VaultTerm } from '../../core/network.ts'

/** The vault that holds a pool's key in an epoch: the last whose cutover is not after it. Undefined before the key was made. */
export function vaultAt({ vaults }: Pick<Pool, 'vaults'>, epoch: Epoch): VaultTerm | undefined {
  return vaults.findLast(({ from }) => from <= epoch)
}
