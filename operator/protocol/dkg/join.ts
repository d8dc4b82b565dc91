import type { Hex, MemberIndex } from '../../core/ids.ts'
import type { Dleq } from '../../core/ports/ceremony.ts'
import { type KnowledgeStatement, verifyKnowledge } from '../bls/schnorr.ts'
import { bindingOf, type PublicContext } from './context.ts'
import { joinKeyPoint } from './dealing.ts'

/**
 * That a member holds the secret of its join key, in this ceremony and at this place. Without it a member could join with a
 * copy of another's key and deal badly: a complaint about it would lay open the Diffie–Hellman point that the complainer
 * shares with that other one, and with it an honest share.
 */
export function possessionStatement(context: PublicContext, member: number, joinKey: Hex): KnowledgeStatement {
  return { label: 'open-pools/dkg/join-key', binding: bindingOf(context, member), point: joinKeyPoint(joinKey, member) }
}

/**
 * Whether a member may join with this key: it shows that it holds the secret. A key that is no valid point passes too: its
 * member signed it, and is named for it; whereas a proof, which is not signed, may have been bent on the way.
 */
export function mayHold(
  context: PublicContext,
  { member, joinKey, proof }: { readonly member: MemberIndex; readonly joinKey: Hex; readonly proof: Dleq },
): boolean {
  let statement: KnowledgeStatement
  try {
    statement = possessionStatement(context, member, joinKey)
  } catch {
    return true
  }
  return verifyKnowledge(statement, proof)
}
