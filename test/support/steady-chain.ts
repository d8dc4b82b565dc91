import { network } from 'hardhat'
import { useSeed } from './randomness.ts'

/** A fresh chain on which nothing depends on what ran before: what test/support makes up follows from this seed. */
export async function steadyChain(seed: string) {
  useSeed(seed)
  return network.create()
}
