import type { HardhatEthersSigner } from '@nomicfoundation/hardhat-ethers/types'
import { Signature } from 'ethers'

/** What of a token its permits are signed over. */
type PermitToken = {
  readonly eip712Domain: () => Promise<{
    readonly name: string
    readonly version: string
    readonly chainId: bigint
    readonly verifyingContract: string
  }>
  readonly nonces: (owner: string) => Promise<bigint>
}

export type PermitRequest = {
  readonly owner: HardhatEthersSigner
  readonly spender: string
  readonly value: bigint
  readonly deadline?: bigint
}

/** An EIP-2612 permit of a token, signed by its owner. */
export async function signPermit(token: PermitToken, { owner, spender, value, deadline = 2n ** 40n }: PermitRequest) {
  const { name, version, chainId, verifyingContract } = await token.eip712Domain()
  const types = {
    Permit: [
      { name: 'owner', type: 'address' },
      { name: 'spender', type: 'address' },
      { name: 'value', type: 'uint256' },
      { name: 'nonce', type: 'uint256' },
      { name: 'deadline', type: 'uint256' },
    ],
  }
  const message = { owner: owner.address, spender, value, nonce: await token.nonces(owner.address), deadline }
  const { v, r, s } = Signature.from(await owner.signTypedData({ name, version, chainId, verifyingContract }, types, message))
  return { value, deadline, v, r, s }
}
