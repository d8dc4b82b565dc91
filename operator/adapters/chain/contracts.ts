import type { ParamType } from 'ethers'
import type { Hex } from '../../core/ids.ts'
import { type Call, ChainError, type Contracts } from '../../core/ports/chain.ts'
import { atBlock } from './at-block.ts'
import type { Deployment } from './deployment.ts'
import { INTERFACES } from './interfaces.ts'
import type { TransactionRequest } from './pending-transactions.ts'
import type { ChainRpc } from './rpc.ts'
import type { TransactionSender } from './transactions.ts'

/** The contracts of one deployment: reads through `rpc`, sends through the one sender. */
export function createContracts({
  rpc,
  deployment,
  sender,
}: {
  readonly rpc: ChainRpc
  readonly deployment: Deployment
  readonly sender: TransactionSender
}): Contracts {
  const { addresses, parameters } = deployment
  const requestOf = ({ contract, method, args, value = 0n }: Call): TransactionRequest => ({
    to: addresses[contract],
    data: INTERFACES[contract].encodeFunctionData(method, args) as Hex,
    value,
    label: `${contract}.${method}`,
  })
  return {
    chainId: rpc.identity.chainId,
    addresses,
    parameters,
    async read(call, block = 'latest') {
      const { to, data } = requestOf(call)
      const answer = await atBlock(rpc, block, (at) => rpc.request('eth_call', [{ to, data }, at]))
      return decode(call, String(answer))
    },
    async balance(address, block = 'latest') {
      const answer = await atBlock(rpc, block, (at) => rpc.request('eth_getBalance', [address, at]))
      return BigInt(String(answer))
    },
    async simulate(call) {
      return (await sender.simulate(requestOf(call)))?.error
    },
    send: (call, signal) => sender.send(requestOf(call), signal),
  }
}

function decode({ contract, method }: Call, answer: string): unknown {
  const abi = INTERFACES[contract]
  const fragment = abi.getFunction(method)
  try {
    const values = [...abi.decodeFunctionResult(method, answer)]
    const outputs = fragment?.outputs ?? []
    const [first] = outputs
    return outputs.length === 1 && first !== undefined ? plain(values[0], first) : named(values, outputs)
  } catch (cause) {
    throw new ChainError('MALFORMED', `${contract}.${method}: expected its return values, got ${answer.slice(0, 80)}`, {}, { cause })
  }
}

/** ethers' results as plain values: tuples are objects by field name, arrays are arrays, numbers are bigint. */
function plain(value: unknown, type: ParamType): unknown {
  if (type.isArray()) return [...(value as Iterable<unknown>)].map((item) => plain(item, type.arrayChildren))
  if (type.isTuple()) return named([...(value as Iterable<unknown>)], type.components)
  return value
}

function named(values: readonly unknown[], types: readonly ParamType[]): Readonly<Record<string, unknown>> {
  return Object.fromEntries(types.map((type, at) => [type.name || String(at), plain(values[at], type)]))
}
