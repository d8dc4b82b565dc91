import { type Interface, isError } from 'ethers'
import { reasonOf } from '../../core/errors.ts'
import { ChainError } from '../../core/ports/chain.ts'
import { INTERFACES } from './interfaces.ts'
import { type CustomError, refusalSentence } from './refusals.ts'

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

/** Did a call revert, by what an execution client answered? Code 3 says so (execution-apis); some clients do in words only. */
export function isRevert(error: unknown): error is ChainError {
  return error instanceof ChainError && error.code === 'REFUSED' && (error.data.rpcCode === 3 || /revert/i.test(error.message))
}

/** A sentence for a person: what a contract's refusal means, else the error's own message without the library's dump of data. */
export function explain(thrown: unknown): string {
  if (isError(thrown, 'CALL_EXCEPTION')) {
    const custom = thrown.data ? decodeRevert(thrown.data) : undefined
    if (custom !== undefined) return refusalSentence(custom)
    return `the contract refused${thrown.reason ? `: ${thrown.reason}` : ', without a reason'}`
  }
  if (isError(thrown, 'INSUFFICIENT_FUNDS')) return 'the account has not enough ETH for the amount and the gas: send it some'
  if (isError(thrown, 'NONCE_EXPIRED') || isError(thrown, 'REPLACEMENT_UNDERPRICED')) {
    return 'another transaction of the same account came in between: try again when it is included'
  }
  if (isError(thrown, 'UNKNOWN_ERROR')) {
    const { error } = thrown as { readonly error?: { readonly message?: unknown } }
    if (typeof error?.message === 'string') return `the execution client refused: ${error.message}`
  }
  if (thrown instanceof Error && 'shortMessage' in thrown) return String(thrown.shortMessage)
  return reasonOf(thrown).split('\n')[0] ?? ''
}
