import { type PresetName, presetFromJson, setActivePreset } from '@lodestar/params/setPreset'
import { BeaconError, type ChainSpec } from '../../core/ports/beacon.ts'

const KNOWN_BASES: readonly string[] = ['mainnet', 'minimal', 'gnosis']

let applied: string | undefined

/**
 * Sets Lodestar's preset, which is global to the process, from what the beacon node serves: the named base, overridden by
 * every preset value of the spec, so that customized presets work. Must run before any other Lodestar module is imported.
 * Throws `BeaconError` MALFORMED on values that are no numbers, and when another preset is in use already.
 */
export function applyPreset(spec: ChainSpec): void {
  const base = KNOWN_BASES.includes(spec.presetBase) ? spec.presetBase : 'mainnet'
  const overrides = readPreset(spec)
  const fingerprint = JSON.stringify([base, overrides])
  if (applied === fingerprint) return
  if (applied !== undefined) {
    throw new BeaconError('OTHER_CHAIN', 'this process already runs with another preset: restart it for this chain', { base })
  }
  setActivePreset(base as PresetName, overrides)
  applied = fingerprint
}

function readPreset(spec: ChainSpec): ReturnType<typeof presetFromJson> {
  try {
    return presetFromJson({ ...spec.values })
  } catch (error) {
    throw new BeaconError('MALFORMED', `the beacon node's spec holds a preset value that is no number`, {}, { cause: error })
  }
}
