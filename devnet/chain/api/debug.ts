import type { Endpoints } from '@lodestar/api'
import type { ApplicationMethods } from '@lodestar/api/server'
import { ForkName } from '@lodestar/params'
import type { CachedBeaconStateElectra } from '@lodestar/state-transition'
import type { ApiContext } from './context.ts'
import { resolveState } from './ids.ts'

/** Whole states. Several clients ask for the same one, so its bytes are kept as long as the state itself. */
export function debugMethods({ chain }: ApiContext): Partial<ApplicationMethods<Endpoints['debug']>> {
  const serialized = new WeakMap<CachedBeaconStateElectra, Uint8Array>()
  return {
    async getDebugChainHeadsV2() {
      return { data: [{ slot: chain.head.slot, root: chain.head.rootHex, executionOptimistic: false }] }
    },

    async getStateV2({ stateId }, context) {
      const { state, meta } = resolveState(chain, stateId)
      const versioned = { ...meta, version: ForkName.electra as const }
      if (context?.returnBytes !== true) return { data: state.toValue(), meta: versioned }
      const data = serialized.get(state) ?? state.serialize()
      serialized.set(state, data)
      return { data, meta: versioned }
    },
  }
}
