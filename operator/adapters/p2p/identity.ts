import { generateKeyPairFromSeed } from '@libp2p/crypto/keys'

import { peerIdFromPrivateKey, peerIdFromString } from '@libp2p/peer-id'
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr'
import { OpenPoolsError, reasonOf } from '../../core/errors.ts'

export class PeerAddressError extends OpenPoolsError<'NOT_A_PEER_ADDRESS'> {}

/** A registered address, such as /ip4/203.0.113.7/tcp/9000/p2p/12D3Koo…, taken apart. */
export type PeerAddress = { readonly peerId: string; readonly address: Multiaddr }

// The registry takes any string; an honest address is far shorter.
const MAX_ADDRESS_LENGTH = 300

/** The node's libp2p key from its 32-byte ed25519 seed. */
export function privateKeyFromSeed(seed: Uint8Array) {
  return generateKeyPairFromSeed('Ed25519', seed)
}

/** The peer id that belongs to a seed, for the `/p2p/` part of the address to register. */
export async function peerIdOfSeed(seed: Uint8Array): Promise<string> {
  return peerIdFromPrivateKey(await privateKeyFromSeed(seed)).toString()
}

/** Reads what somebody registered. Throws `PeerAddressError` unless it is a TCP address that names its peer id. */
export function parsePeerAddress(text: string): PeerAddress {
  try {
    if (text.length > MAX_ADDRESS_LENGTH) throw new Error(`longer than ${MAX_ADDRESS_LENGTH} characters`)
    const address = multiaddr(text)
    const names = address.getComponents().map(({ name }) => name)
    const id = address.getComponents().at(-1)
    if (names.length !== 3 || names[1] !== 'tcp' || id?.name !== 'p2p' || id.value === undefined) throw new Error('of another shape')
    return { peerId: peerIdFromString(id.value).toString(), address }
  } catch (error) {
    const reason = `expected an address like /ip4/203.0.113.7/tcp/9000/p2p/12D3Koo…, got ${text.slice(0, 80)}: ${reasonOf(error)}`
    throw new PeerAddressError('NOT_A_PEER_ADDRESS', reason)
  }
}
