import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Board, type Posting, type Received } from '../../../../operator/ceremonies/board.ts'
import { Early } from '../../../../operator/ceremonies/early.ts'
import type { MemberIndex, ProducerId, Root } from '../../../../operator/core/ids.ts'
import { addressOf, ecdsaVerifier, signEcdsa } from '../../../../operator/protocol/messages/ecdsa.ts'
import { sha } from '../../simulation/crypto.ts'
import { ProcessClock, Scheduler } from '../../simulation/scheduler.ts'
import { faultyKey } from './support/world.ts'

const REPEAT_MS = 1_000
type Kinds = { readonly vote: string; readonly note: string }

const member = (index: number): MemberIndex => index as MemberIndex
/** Producers 11 and 12 hold places 1 and 2, 11 also place 3: a member of both vaults of a handover. */
const PRODUCERS = [11, 12, 11, 13].map((id) => id as ProducerId)

const vote = (author: number, body: string, signer = PRODUCERS[author - 1]): Posting<'vote', string> => {
  const digest = sha('vote', author, body) as Root
  const signature = signEcdsa(digest, faultyKey(Number(signer)))
  return {
    kind: 'vote',
    author: member(author),
    body,
    bytes: Buffer.from(`${author} ${body} ${signature}`),
    sealed: { digest: () => digest, signature },
  }
}
const note = (author: number, body: string): Posting<'note', string> => ({
  kind: 'note',
  author: member(author),
  body,
  bytes: Buffer.from(body),
  sealed: null,
})

function open({ self = 12 }: { readonly self?: number } = {}) {
  const scheduler = new Scheduler(0)
  const sent: { readonly to: number; readonly text: string }[] = []
  const conflicts: string[] = []
  let checks = 0
  const verify = ecdsaVerifier()
  const board: Board<Kinds> = new Board({
    participants: PRODUCERS.map((id) => ({ id, operator: addressOf(faultyKey(Number(id))) })),
    network: {
      self: self as ProducerId,
      send: (to, _, bytes) => sent.push({ to, text: Buffer.from(bytes).toString() }),
      onMessage: () => () => {},
    },
    clock: new ProcessClock(scheduler),
    verifyEcdsa: (question) => {
      checks += 1
      return verify(question)
    },
    repeatMs: REPEAT_MS,
    onRepeat: () => board.passOn(member(4), 'vote'),
  })
  board.onConflict((author, kind) => conflicts.push(`${kind} ${author}`))
  return {
    board,
    sent,
    conflicts,
    scheduler,
    checks: () => checks,
    from: (id: number, posting: Posting<'vote' | 'note', string>) => board.receive(id as ProducerId, posting),
  }
}

describe('a board', () => {
  it('holds one statement of each author and kind, whoever brings it', () => {
    const { board, from } = open()
    assert.equal(from(13, vote(1, 'yes')), 'new')
    assert.equal(from(11, vote(3, 'no')), 'new')
    assert.deepEqual(
      [...board.got('vote')],
      [
        [1, 'yes'],
        [3, 'no'],
      ],
    )
    assert.deepEqual(board.missing('vote'), [2, 4])
  })

  it('looks at no signature twice, and at none of what it holds', () => {
    const { from, checks } = open()
    for (const answer of ['new', 'known', 'known'] satisfies Received[]) assert.equal(from(11, vote(1, 'yes')), answer)
    assert.equal(checks(), 1)
  })

  it('refuses what its author did not sign, and what another brings without a signature', () => {
    const { board, from } = open()
    assert.equal(from(13, vote(1, 'yes', 13 as ProducerId)), 'forged')
    assert.equal(from(13, note(1, 'hello')), 'forged')
    assert.equal(from(11, note(3, 'hello')), 'new')
    assert.equal(from(11, note(3, 'again')), 'known')
    assert.deepEqual(board.said('note', member(3)), ['hello'])
    assert.equal(from(13, { ...vote(1, 'yes'), author: member(9) }), 'forged')
  })

  it('keeps two contradicting statements, tells both to all, and looks at no third', () => {
    const { board, from, sent, conflicts, checks } = open()
    for (const [body, answer] of [
      ['yes', 'new'],
      ['no', 'conflict'],
      ['maybe', 'known'],
    ] as const)
      assert.equal(from(13, vote(1, body)), answer)
    assert.deepEqual(conflicts, ['vote 1'])
    assert.deepEqual(board.said('vote', member(1)), ['yes', 'no'])
    assert.equal(board.got('vote').get(member(1)), 'yes')
    assert.equal(checks(), 2)
    // To each producer once, though one of them stands in two places.
    assert.deepEqual(
      sent.map(({ to, text }) => `${to} ${text.split(' ')[1]}`),
      ['11 yes', '13 yes', '11 no', '13 no'],
    )
  })

  it('says again what self said, and passes on what another may lack, until it is closed', async () => {
    const { board, from, sent, scheduler } = open()
    from(11, vote(1, 'yes'))
    board.say(vote(2, 'mine'))
    assert.deepEqual(
      sent.map(({ to }) => to),
      [11, 13],
    )
    sent.length = 0
    await scheduler.run(REPEAT_MS, () => false)
    assert.deepEqual(
      sent.map(({ to, text }) => `${to} ${text.split(' ')[1]}`),
      ['11 mine', '13 mine', '13 yes', '13 mine'],
    )
    board.close()
    sent.length = 0
    await scheduler.run(5 * REPEAT_MS, () => false)
    assert.deepEqual(sent, [])
  })

  it('wakes who waits, and lets it go with its signal or what its probe throws', async () => {
    const { board, from } = open()
    const controller = new AbortController()
    const waiting = board.until(() => (board.has('vote', member(1)) ? 'came' : undefined), controller.signal)
    const failing = board.until(() => {
      if (board.has('vote', member(1))) throw new Error('bad')
      return undefined
    }, controller.signal)
    const never = board.until(() => undefined, controller.signal)
    from(11, vote(1, 'yes'))
    assert.equal(await waiting, 'came')
    await assert.rejects(failing, /bad/)
    controller.abort(new Error('over'))
    await assert.rejects(never, /over/)
    await assert.rejects(
      board.until(() => 1, controller.signal),
      /over/,
    )
  })
})

describe('early messages', () => {
  it('are kept, so many of each sender, until somebody listens', () => {
    const early = new Early<number, string>(2)
    for (const message of ['a', 'b', 'c']) early.receive(1, message)
    early.receive(2, 'd')
    const heard: string[] = []
    early.listen((from, message) => heard.push(`${from}${message}`))
    early.receive(1, 'e')
    assert.deepEqual(heard, ['1a', '1b', '2d', '1e'])
  })
})
