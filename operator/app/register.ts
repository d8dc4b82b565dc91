import { type JsonRpcProvider, type TransactionReceipt, TypedDataEncoder, type Wallet } from 'ethers'
import { type Deployment, readDeployment } from '../adapters/chain/deployment.ts'
import { INTERFACES } from '../adapters/chain/interfaces.ts'
import { waitForReceipt } from '../adapters/chain/receipt.ts'
import { explain } from '../adapters/chain/revert.ts'
import { assertHolds } from '../adapters/chain/transact.ts'
import { connectProvider, openWallet } from '../adapters/chain/wallet.ts'
import { parsePeerAddress, peerIdOfSeed } from '../adapters/p2p/identity.ts'
import type { Address, Hex, ProducerId, PublicKey, Root } from '../core/ids.ts'
import { toAddress, toProducerId, toRoot } from '../core/parse.ts'
import type { SigningKey } from '../core/ports/signer.ts'
import { publicKeyToEip2537, signatureToEip2537 } from '../protocol/bls/points.ts'
import { wordsOf } from '../protocol/bls/words.ts'
import { openSigner } from '../signer/open.ts'
import { passwordFrom } from '../signer/password.ts'
import { openPeerIdentity } from '../signer/peer-identity.ts'
import { AppError } from './errors.ts'

export type RegisterRequest = {
  readonly dataDir: string
  readonly passwordFile: string
  readonly rpcUrl: string
  readonly directory: Address
  readonly ownerKeyFile: string
  readonly ownerPasswordFile: string
  /** Wei. */
  readonly bond: bigint
  /** Wei to send to the operator key. */
  readonly fundOperator: bigint
  /** Multiaddr without the peer id. */
  readonly address: string
}

export type Registered = {
  readonly producerId: ProducerId
  readonly owner: Address
  readonly operator: Address
  readonly signingKey: PublicKey
  readonly address: string
  readonly transaction: Root
}

type Identity = { readonly operator: Address; readonly signingKey: SigningKey; readonly address: string }

const CONTRACT = INTERFACES.blockProducers
/** Some clients estimate the gas used, which the 63/64 of EIP-150 makes too little for calls within calls. */
const GAS_MARGIN_PERCENT = 130n

/**
 * Registers the operator of a data folder with a bond from the owner's wallet. Throws `AppError` ALREADY_REGISTERED, or REFUSED
 * with the contract's reason; `SignerError`, `WalletError`, `DeploymentError`.
 */
export async function register(request: RegisterRequest): Promise<Registered> {
  const password = passwordFrom({ file: request.passwordFile })
  const peerId = await peerIdOfSeed(openPeerIdentity({ dataDir: request.dataDir, password }))
  const address = `${request.address}/p2p/${peerId}`
  parsePeerAddress(address)
  const signer = await openSigner({ dataDir: request.dataDir, password })
  const provider = await connectProvider(request.rpcUrl)
  try {
    const deployment = await readDeployment(async (to, data) => (await provider.call({ to, data })) as Hex, request.directory)
    const owner = await openWallet({ keyFile: request.ownerKeyFile, passwordFile: request.ownerPasswordFile }, provider)
    const identity = { operator: toAddress(signer.operatorKey.address), signingKey: signer.signingKey, address }
    await assertUnregistered(provider, deployment, identity.operator)
    await assertHolds({ provider, address: owner.address, value: request.bond + request.fundOperator })
    return await send({ request, owner, deployment, identity }).catch((error: unknown) => {
      throw new AppError('REFUSED', `registering failed: ${explain(error)}`, {}, { cause: error })
    })
  } finally {
    provider.destroy()
    signer.close()
  }
}

async function assertUnregistered(provider: JsonRpcProvider, { addresses }: Deployment, operator: Address): Promise<void> {
  const answer = await provider.call({ to: addresses.blockProducers, data: CONTRACT.encodeFunctionData('producerOf', [operator]) })
  const known = Number(CONTRACT.decodeFunctionResult('producerOf', answer)[0])
  if (known === 0) return
  throw new AppError('ALREADY_REGISTERED', `operator ${operator} is registered already, as producer ${known}: run it`, { known })
}

type Sending = {
  readonly request: RegisterRequest
  readonly owner: Wallet
  readonly deployment: Deployment
  readonly identity: Identity
}

async function send({ request, owner, deployment, identity }: Sending): Promise<Registered> {
  const { operator, signingKey, address } = identity
  const { blockProducers } = deployment.addresses
  const provider = owner.provider as JsonRpcProvider
  const { chainId } = await provider.getNetwork()
  const digest = possessionDigest({ chainId, contract: blockProducers, owner: owner.address, identity })
  const proof = wordsOf(signatureToEip2537(signingKey.sign(digest)))
  const data = CONTRACT.encodeFunctionData('register', [operator, wordsOf(publicKeyToEip2537(signingKey.publicKey)), proof, address])
  const call = { to: blockProducers, data, value: request.bond }
  // Simulated first: a revert's reason comes with it, and not with every client's gas estimate.
  await owner.call(call)
  const gasLimit = ((await owner.estimateGas(call)) * GAS_MARGIN_PERCENT) / 100n
  const nonce = await owner.getNonce('pending')
  const registering = await owner.sendTransaction({ ...call, gasLimit, nonce })
  if (request.fundOperator > 0n) {
    const funding = await owner.sendTransaction({ to: operator, value: request.fundOperator, nonce: nonce + 1 })
    await waitForReceipt(provider, funding.hash)
  }
  return {
    producerId: producerIdIn(await waitForReceipt(provider, registering.hash)),
    owner: toAddress(owner.address),
    operator,
    signingKey: signingKey.publicKey,
    address,
    transaction: toRoot(registering.hash),
  }
}

const POSSESSION = {
  ProofOfPossession: [
    { name: 'owner', type: 'address' },
    { name: 'operator', type: 'address' },
    { name: 'signingKey', type: 'bytes' },
  ],
}

type Possession = { readonly chainId: bigint; readonly contract: Address; readonly owner: string; readonly identity: Identity }

/** What the signing key signs to prove that its holder wants to be this owner's: EIP-712, judged by BlockProducers. */
function possessionDigest({ chainId, contract, owner, identity }: Possession): Root {
  const domain = { name: 'Open Pools', version: '1', chainId, verifyingContract: contract }
  const value = { owner, operator: identity.operator, signingKey: publicKeyToEip2537(identity.signingKey.publicKey) }
  return toRoot(TypedDataEncoder.hash(domain, POSSESSION, value))
}

function producerIdIn(receipt: TransactionReceipt): ProducerId {
  const event = receipt.logs.map((log) => CONTRACT.parseLog(log)).find((parsed) => parsed?.name === 'ProducerRegistered')
  if (event === undefined || event === null) throw new AppError('REFUSED', 'the transaction was included, but registered nobody')
  return toProducerId(event.args.producerId)
}
