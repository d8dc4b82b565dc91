import type { Endpoints } from '@lodestar/api'
import type { ApplicationMethods } from '@lodestar/api/server'
import { ssz } from '@lodestar/types'
import type { ApiContext } from './context.ts'

/** The node itself, which is alone in its network and always in sync. */
export function nodeMethods({ chain }: ApiContext): Partial<ApplicationMethods<Endpoints['node']>> {
  return {
    async getNetworkIdentity() {
      const metadata = ssz.altair.Metadata.defaultValue()
      return { data: { peerId: '', enr: '', p2pAddresses: [], discoveryAddresses: [], metadata } }
    },

    async getPeers() {
      return { data: [], meta: { count: 0 } }
    },

    async getPeerCount() {
      return { data: { disconnected: 0, connecting: 0, connected: 0, disconnecting: 0 } }
    },

    async getNodeVersion() {
      return { data: { version: 'local-chain/1.0.0' } }
    },

    async getSyncingStatus() {
      const headSlot = chain.head.slot
      return { data: { headSlot, syncDistance: 0, isSyncing: false, isOptimistic: false, elOffline: false } }
    },

    async getHealth() {
      return { status: 200 }
    },
  }
}
