import type { Epoch } from '../../core/ids.ts'
import type { Pool, VaultTerm } from '../../core/network.ts'

/** The vault that holds a pool's key in an epoch: the last whose cutover is not after it. Undefined before the key was made. */
export function vaultAt({ vaults }: Pick<Pool, 'vaults'>, epoch: Epoch): VaultTerm | undefined {
  return vaults.findLast(({ from }) => from <= epoch)
}

/**
 * The vault that may sign for an epoch, as far as the chain has settled it: one that took over only once that is final, and its
 * predecessor no more as soon as the head shows the cutover. Undefined: nobody, until it is final.
 */
export function vaultInCharge(
  { head, finalized }: { readonly head: Pick<Pool, 'vaults'>; readonly finalized: Pick<Pool, 'vaults'> | undefined },
  epoch: Epoch,
): VaultTerm | undefined {
  const term = vaultAt(head, epoch)
  if (term === undefined || term.from === 0) return term
  return finalized !== undefined && vaultAt(finalized, epoch)?.round === term.round ? term : undefined
}
