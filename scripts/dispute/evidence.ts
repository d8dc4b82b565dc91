import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { INTERFACES } from '../../operator/adapters/chain/interfaces.ts'
import { reasonOf } from '../../operator/core/errors.ts'
import type { Call } from '../../operator/core/ports/chain.ts'
import { DisputeError } from './errors.ts'

/** Kinds of evidence, and the function of Slashing that takes each. */
export const EVIDENCE = {
  qbft: 'slashQbft',
  join: 'slashJoin',
  dealing: 'slashDealing',
  attestations: 'slashAttestations',
  blocks: 'slashBlocks',
} as const
export type EvidenceKind = keyof typeof EVIDENCE

/**
 * Evidence from a JSON file: an object with the arguments of Slashing's function by name (docs/contracts/Slashing.md, ISlashing),
 * structs as objects by field name, numbers as numbers or strings, bytes as 0x hex. Throws `DisputeError` BAD_FILE.
 */
export function readEvidence(path: string, kind: EvidenceKind): Call {
  const method = EVIDENCE[kind]
  const inputs = INTERFACES.slashing.getFunction(method)?.inputs ?? []
  const names = inputs.map(({ name }) => name)
  try {
    const given = z.record(z.string(), z.unknown()).parse(JSON.parse(readFileSync(path, 'utf8')))
    const missing = names.filter((name) => !(name in given))
    if (missing.length > 0) throw new Error(`missing ${missing.join(', ')}`)
    const args = names.map((name) => given[name])
    INTERFACES.slashing.encodeFunctionData(method, args)
    return { contract: 'slashing', method, args }
  } catch (cause) {
    const reason = reasonOf(cause).split('\n')[0]
    throw new DisputeError('BAD_FILE', `expected evidence in ${path} as an object of ${names.join(', ')}: ${reason}`, { path }, { cause })
  }
}
