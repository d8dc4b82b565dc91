import { type BaseContract, isError } from 'ethers'

/** What a view or a transaction answers, called now. */
export const answer = (contract: BaseContract, method: string, ...args: readonly unknown[]): Promise<unknown> =>
  contract.getFunction(method).staticCall(...args)

/** The name of the custom error with which a call is refused now; `accepted` when it is not. */
export async function verdict(contract: BaseContract, method: string, ...args: readonly unknown[]): Promise<string> {
  try {
    await answer(contract, method, ...args)
    return 'accepted'
  } catch (error) {
    if (!isError(error, 'CALL_EXCEPTION') || error.data === null) throw error
    return contract.interface.parseError(error.data)?.name ?? error.data
  }
}
