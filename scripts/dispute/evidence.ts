import { isError } from 'ethers'
import { z } from 'zod'
import { INTERFACES } from '../../operator/adapters/chain/interfaces.ts'
import type { Call } from '../../operator/core/ports/chain.ts'
import { readNamed } from '../../operator/signer/files.ts'
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
 * structs as objects by field name, numbers as numbers or strings, bytes as 0x hex. Throws `DisputeError` BAD_FILE, which shows
 * nothing of the file: what was named by mistake may be a secret.
 */
export function readEvidence(path: string, kind: EvidenceKind): Call {
  const method = EVIDENCE[kind]
  const inputs = INTERFACES.slashing.getFunction(method)?.inputs ?? []
  const names = inputs.map(({ name }) => name)
  const bad = (reason: string): DisputeError =>
    new DisputeError('BAD_FILE', `expected evidence in ${path} as an object of ${names.join(', ')}: ${reason}`, { path })
  const given = objectIn(readNamed(path).toString('utf8'))
  if (given === undefined) throw bad('it is no JSON object')
  const missing = names.filter((name) => !(name in given))
  if (missing.length > 0) throw bad(`missing ${missing.join(', ')}`)
  const args = names.map((name) => given[name])
  try {
    INTERFACES.slashing.encodeFunctionData(method, args)
  } catch (cause) {
    // The whole message would show the value.
    throw bad(isError(cause, 'INVALID_ARGUMENT') ? `${cause.argument}: ${cause.shortMessage}` : 'the arguments are not of its types')
  }
  return { contract: 'slashing', method, args }
}

function objectIn(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    return z.record(z.string(), z.unknown()).parse(JSON.parse(text))
  } catch {
    return undefined
  }
}
