// Lodestar freezes its preset when it is first imported, so this file must be the first import of
// every process that wants to speak this chain's SSZ.
import { PresetName, setActivePreset } from '@lodestar/params/setPreset'

/**
 * What this chain changes in the minimal preset (consensus-specs, presets/minimal): a whole validator
 * life must fit in a minute. MAX_SEED_LOOKAHEAD stays above 0, where exits would be final at once.
 */
export const PRESET_OVERRIDES = {
  SLOTS_PER_EPOCH: 4,
  MAX_SEED_LOOKAHEAD: 1,
  EPOCHS_PER_SLASHINGS_VECTOR: 8,
} as const

setActivePreset(PresetName.minimal, PRESET_OVERRIDES)
