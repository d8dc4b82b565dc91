import type { Root } from '../../../../../operator/core/ids.ts'
import type { BeaconNode } from '../../../../../operator/core/ports/beacon.ts'
import { sha } from '../../../simulation/crypto.ts'

/** Signing root of a deposit: stands for the real one, and names all that it must bind. */
export const depositRoot: BeaconNode['signingRoots']['deposit'] = ({ publicKey, withdrawalCredentials, amount }) =>
  sha('deposit', publicKey, withdrawalCredentials, String(amount)) as Root
