import { type Interface, isError } from 'ethers'
import { reasonOf } from '../../core/errors.ts'
import { INTERFACES } from './interfaces.ts'

export type CustomError = { readonly name: string; readonly args: Readonly<Record<string, unknown>> }

/** 0x and four bytes. */
const SELECTOR_LENGTH = 10
const ALL: readonly Interface[] = [...new Set(Object.values(INTERFACES))]

/** The deployment's custom error behind revert data, if it is one. */
export function decodeRevert(data: string): CustomError | undefined {
  if (data.length < SELECTOR_LENGTH) return undefined
  for (const contract of ALL) {
    try {
      const parsed = contract.parseError(data)
      if (parsed !== null) return { name: parsed.name, args: parsed.args.toObject() }
    } catch {
      // Its selector, but not its arguments: some other contract's error.
    }
  }
  return undefined
}

/** A sentence for a person: the custom error and its values when a contract refused, else the error's own message. */
export function explain(thrown: unknown): string {
  if (isError(thrown, 'CALL_EXCEPTION')) {
    const custom = thrown.data ? decodeRevert(thrown.data) : undefined
    if (custom !== undefined) {
      const values = Object.entries(custom.args).map(([name, value]) => `${name} ${String(value)}`)
      return `the contract refused with ${custom.name}${values.length > 0 ? ` (${values.join(', ')})` : ''}`
    }
    return `the contract refused${thrown.reason ? `: ${thrown.reason}` : ''}`
  }
  if (isError(thrown, 'INSUFFICIENT_FUNDS')) return 'the account has not enough ETH for the amount and the gas'
  return reasonOf(thrown)
}
