import type { Endpoints } from '@lodestar/api'
import type { ApplicationMethods } from '@lodestar/api/server'
import { ApiError } from '@lodestar/api/server'
import { ForkName } from '@lodestar/params'
import { type electra, ssz } from '@lodestar/types'
import type { StoredBlock } from '../beacon/store.ts'
import type { ApiContext } from './context.ts'
import { meta, resolveBlock } from './ids.ts'

type Methods = Pick<
  ApplicationMethods<Endpoints['beacon']>,
  'getBlockV2' | 'getBlockAttestationsV2' | 'getBlockHeader' | 'getBlockHeaders' | 'getBlockRoot' | 'publishBlockV2'
>

function bytesOf(block: StoredBlock): Uint8Array {
  if (block.bytes === null) throw new ApiError(404, 'The genesis block exists as a header only')
  return block.bytes
}

/** Blocks: read, and publish. */
export function blockMethods({ chain }: ApiContext): Methods {
  const header = (block: StoredBlock) => ({ root: block.root, canonical: true, header: block.header })
  const versioned = (block: StoredBlock) => ({ ...meta(chain, block.slot), version: ForkName.electra })
  return {
    async getBlockV2({ blockId }) {
      const block = resolveBlock(chain, blockId)
      return { data: bytesOf(block), meta: versioned(block) }
    },

    async getBlockAttestationsV2({ blockId }) {
      const block = resolveBlock(chain, blockId)
      const { attestations } = ssz.electra.SignedBeaconBlock.deserialize(bytesOf(block)).message.body
      return { data: attestations, meta: versioned(block) }
    },

    async getBlockHeader({ blockId }) {
      const block = resolveBlock(chain, blockId)
      return { data: header(block), meta: meta(chain, block.slot) }
    },

    async getBlockHeaders({ slot, parentRoot }) {
      let block: StoredBlock | undefined = chain.head
      if (parentRoot !== undefined) block = chain.store.byParent(parentRoot.toLowerCase())
      else if (slot !== undefined) block = chain.store.bySlot(slot)
      if (block === undefined || (slot !== undefined && block.slot !== slot)) return { data: [], meta: meta(chain, 0) }
      return { data: [header(block)], meta: meta(chain, block.slot) }
    },

    async getBlockRoot({ blockId }) {
      const block = resolveBlock(chain, blockId)
      return { data: { root: block.root }, meta: meta(chain, block.slot) }
    },

    async publishBlockV2({ signedBlockContents }) {
      // The routes choose the type by the Eth-Consensus-Version header; only Electra's blocks have a place here.
      const { signedBlock } = signedBlockContents as electra.SignedBlockContents
      await chain.importBlock(signedBlock)
    },
  }
}
