import type { BlsSignature, Epoch, MemberIndex, PoolId, Root } from '../../../operator/core/ids.ts'
import type { AttestationToSign, OperatorKey, Said, ShareSigner } from '../../../operator/core/ports/signer.ts'
import type { SimCrypto, SimPoolKeys } from './crypto.ts'
import type { Vote } from './referee.ts'

/** What survives a member's death: the gate's records and the slashing history. */
export type Disk = {
  readonly said: Map<string, Map<string, Said>>
  /** Takes back records that were written and not synced since, in the order of writing: a power cut takes the last of them. */
  readonly unsynced: (() => void)[]
  /** The latest announced slot, and that before the last power cut. */
  announced: number
  lost: number
  readonly attestations: Map<PoolId, { readonly source: Epoch; readonly target: Epoch; readonly root: Root }[]>
  readonly blocks: Map<PoolId, Map<number, Root>>
}

export function newDisk(): Disk {
  return { said: new Map(), unsynced: [], announced: -1, lost: -1, attestations: new Map(), blocks: new Map() }
}

/** The machine stops: the last so many of what was not synced are gone, and the slots that were announced are not spoken in anew. */
export function cutPower(disk: Disk, gone: (unsynced: number) => number): void {
  for (let left = gone(disk.unsynced.length); left > 0; left--) disk.unsynced.pop()?.()
  disk.unsynced.length = 0
  disk.lost = disk.announced
}

/** The operator key behind its gate. `afterWrite` runs once the record is durable and before the signature is returned. */
export function gatedKey(options: {
  readonly disk: Disk
  readonly operator: ReturnType<SimCrypto['operator']>
  readonly afterWrite: () => void
  readonly onSaid?: (place: string, digest: Root) => void
}): OperatorKey {
  const { disk, operator, afterWrite, onSaid } = options
  // All that is said in one step is on disk before any of it is heard.
  let joint = false
  let written = false
  return {
    together(work) {
      joint = true
      written = false
      const result = work()
      joint = false
      if (written) afterWrite()
      return result
    },
    address: operator.address,
    signOnce(key, digest, body = new Uint8Array(0)) {
      const records = disk.said.get(`${key.domain}/${key.instance}`) ?? new Map<string, Said>()
      const place = `${key.round}/${key.type}`
      const known = records.get(place)
      if (known !== undefined && known.digest !== digest) throw new Error(`gate: another ${place} was said in ${key.instance}`)
      if (known === undefined) {
        if (key.slot !== undefined && key.slot <= disk.lost) throw new Error(`gate: ${place} of ${key.instance} may have been said`)
        records.set(place, { round: key.round, type: key.type, digest, body })
        if (key.slot !== undefined && key.slot <= disk.announced) disk.unsynced.push(() => records.delete(place))
        else disk.unsynced.length = 0
      }
      disk.said.set(`${key.domain}/${key.instance}`, records)
      onSaid?.(`${key.domain}/${key.instance}/${place}`, digest)
      if (joint) written = true
      else afterWrite()
      return operator.sign(digest)
    },
    announce(slot) {
      if (slot <= disk.announced) return
      disk.announced = slot
      disk.unsynced.length = 0
    },
    recall: (domain, instance) => [...(disk.said.get(`${domain}/${instance}`)?.values() ?? [])],
  }
}

/** A key without a gate, as a faulty member has it. */
export function ungatedKey(operator: ReturnType<SimCrypto['operator']>): OperatorKey {
  return {
    address: operator.address,
    signOnce: (_, digest) => operator.sign(digest),
    together: (work) => work(),
    announce: () => {},
    recall: () => [],
  }
}

type Share = { readonly keys: SimPoolKeys; readonly member: MemberIndex }

/** Shares behind EIP-3076's rules over the whole history; `onSigned` tells the referee. */
export function protectedSigner(options: {
  readonly disk: Disk
  readonly shareOf: (poolId: PoolId) => Share
  readonly onSigned: (signed: {
    readonly poolId: PoolId
    readonly kind: string
    readonly root: Root
    readonly vote: Vote | undefined
  }) => void
  readonly afterWrite: () => void
}): ShareSigner {
  const { disk, shareOf, onSigned, afterWrite } = options

  function sign(poolId: PoolId, kind: string, root: Root, vote?: Vote): BlsSignature {
    const { keys, member } = shareOf(poolId)
    // Synced, and with it all that was written before.
    disk.unsynced.length = 0
    onSigned({ poolId, kind, root, vote })
    afterWrite()
    return keys.sign(member, root)
  }

  function checkAttestation({ poolId, sourceEpoch, targetEpoch, signingRoot }: AttestationToSign): string | undefined {
    if (sourceEpoch > targetEpoch) return 'source after target'
    for (const { source, target, root } of disk.attestations.get(poolId) ?? []) {
      if (root === signingRoot) continue
      if (target === targetEpoch) return 'double vote'
      if ((source < sourceEpoch && targetEpoch < target) || (sourceEpoch < source && target < targetEpoch)) return 'surround vote'
    }
    return undefined
  }

  function checkBlock({ poolId, slot, signingRoot }: Parameters<ShareSigner['checkBlock']>[0]): string | undefined {
    const known = disk.blocks.get(poolId)?.get(slot)
    return known === undefined || known === signingRoot ? undefined : 'double proposal'
  }

  return {
    pools: () => [],
    checkAttestation,
    checkBlock,
    signAttestation(request) {
      const broken = checkAttestation(request)
      if (broken !== undefined) throw new Error(broken)
      const { poolId, slot, sourceEpoch: source, targetEpoch: target, signingRoot: root } = request
      disk.attestations.set(poolId, [...(disk.attestations.get(poolId) ?? []), { source, target, root }])
      return sign(poolId, `attestation/${slot}`, root, { source, target })
    },
    signBlock(request) {
      const broken = checkBlock(request)
      if (broken !== undefined) throw new Error(broken)
      const blocks = disk.blocks.get(request.poolId) ?? new Map<number, Root>()
      disk.blocks.set(request.poolId, blocks.set(request.slot, request.signingRoot))
      return sign(request.poolId, `proposal/${request.slot}`, request.signingRoot)
    },
    signRoot: ({ poolId, purpose, signingRoot }) => sign(poolId, purpose, signingRoot),
  }
}

/** Shares that sign anything, as a faulty member's do; `twist` may change what is signed. */
export function recklessSigner(shareOf: (poolId: PoolId) => Share, twist: (root: Root) => Root): ShareSigner {
  const sign = ({ poolId, signingRoot }: { readonly poolId: PoolId; readonly signingRoot: Root }): BlsSignature => {
    const { keys, member } = shareOf(poolId)
    return keys.sign(member, twist(signingRoot))
  }
  return {
    pools: () => [],
    checkAttestation: () => undefined,
    checkBlock: () => undefined,
    signAttestation: sign,
    signBlock: sign,
    signRoot: sign,
  }
}
