import { OpenPoolsError, reasonOf } from '../core/errors.ts'
import type { Epoch, Root } from '../core/ids.ts'
import type { JobOutcome } from '../core/ports/queue.ts'
import type { DerivedReport, Reference } from '../core/report.ts'
import { thresholdOf } from '../core/vault.ts'
import { decodeReportSignature, encodeReportSignature, reportDigest } from '../protocol/messages/report.ts'
import { standingNow, standingOf } from '../protocol/state/coverage.ts'
import { deriveReport } from '../protocol/state/derive-report.ts'
import { blockAtOrBefore, captureReference, forgetReferences } from './capture.ts'
import { SetProposals } from './certificates/proposals.ts'
import { commit, LEADER_SLOTS, postPages } from './commit.ts'
import { DutyHistory } from './duty-history.ts'
import type { ReportPorts } from './ports.ts'
import { boundaryOf, committeeOf, leaderOf, maySign, reportEpochAt, struckFrom } from './schedule.ts'
import { createSignaturePool } from './signatures.ts'

export class ReportStageError extends OpenPoolsError<'REFERENCE_LOST'> {}

const QUEUE = 'report'
/** References are kept this long after their epoch: longer than any report takes, disputes included. */
const EPOCHS_KEPT = 1024
/** Longer than pages of one commitment are waited for. */
const PROGRESS_KEPT_MS = 24 * 3_600_000

/** collect → derive → agree → commit. Finalization is the keeper's. */
export function startReports(ports: ReportPorts, signal: AbortSignal): void {
  const { beacon, chain, contracts, network, queue, log, clock } = ports
  const { parameters } = contracts
  const retryMs = beacon.spec.slotDurationMs / 2
  const soonMs = retryMs / 4
  const signatures = createSignaturePool(ports.aggregation)
  const history = new DutyHistory(ports)
  const proposals = new SetProposals({ exchange: ports.certificates, history, parameters })
  const readySince = new Map<Epoch, number>()
  /** By commitment that lacks pages: how many were posted when this was last seen to change, and when. */
  const progress = new Map<number, { readonly posted: number; readonly since: number }>()
  const wait = (reason: string, retryInMs = retryMs): JobOutcome => ({ done: false, retryInMs, reason })

  const complain = (stage: string) => (error: unknown) => {
    if (!signal.aborted) log.warn(`report ${stage} failed`, { reason: reasonOf(error) })
  }

  /** Stage collect, first half: at the head, while the beacon node remembers the state. */
  async function capture(headSlot: number): Promise<void> {
    const epoch = reportEpochAt((headSlot - 1) / parameters.slotsPerEpoch, parameters)
    const head = epoch === undefined ? undefined : await beacon.header('head', signal)
    if (epoch === undefined || head === undefined) return
    const reference = await blockAtOrBefore(beacon, head, boundaryOf(epoch, parameters), signal)
    if (reference !== undefined) await captureReference(ports, epoch, reference, signal)
  }

  /** Stage collect, second half: the reference that became final. */
  async function collect(epoch: Epoch, jobSignal: AbortSignal): Promise<Reference> {
    const finalized = await beacon.header('finalized', jobSignal)
    const header = finalized && (await blockAtOrBefore(beacon, finalized, boundaryOf(epoch, parameters), jobSignal))
    const reference = header && (await captureReference(ports, epoch, header, jobSignal))
    if (reference === undefined) {
      throw new ReportStageError('REFERENCE_LOST', `the beacon node serves no reference for the report of epoch ${epoch}`, { epoch })
    }
    return reference
  }

  /** Stage agree: signs the own report and spreads the signature; returns what has come in for the same report. */
  function agree(derived: DerivedReport, committee: NonNullable<ReturnType<typeof committeeOf>>) {
    const { epoch } = derived.report
    const digest = reportDigest({ chainId: contracts.chainId, contract: contracts.addresses.stateCommitments }, derived.report)
    const message = { epoch, digest, signature: ports.signingKey.sign(digest) }
    signatures.add(ports.self, message)
    const bytes = encodeReportSignature(message)
    for (const { id } of committee) if (id !== ports.self) network.send(id, 'report', bytes)
    const struck = struckFrom(chain.view().head, epoch, parameters)
    return signatures.valid({ epoch, digest, members: committee.filter(({ id }) => !struck.includes(id)) })
  }

  async function report(epoch: Epoch, jobSignal: AbortSignal): Promise<JobOutcome> {
    const state = chain.view().head
    const committee = committeeOf(state, epoch, parameters)
    if (committee === undefined) return wait('the committee is not formed yet')
    if (!committee.some(({ id }) => id === ports.self)) return { done: true }
    const made = [...state.commitments.values()].filter(({ phase }) => phase !== 'dropped')
    const same = made.find((commitment) => commitment.epoch === epoch)
    if (same !== undefined ? same.phase !== 'open' : made.some((commitment) => commitment.epoch > epoch)) return { done: true }

    const reference = await collect(epoch, jobSignal)
    if (chain.view().headBlock < reference.executionBlock) return wait('the event feed is behind the reference')
    // Whatever is signed is of one view: a commitment that came while the reference was read changes what a report says.
    if (chain.view().head !== state) return wait('events came in between', 0)
    const standing = same === undefined ? standingNow(state, epoch) : standingOf(same)
    const making = { epoch, state, standing, committee }
    const judged = await proposals.judging.by(making)
    if (typeof judged === 'string') return wait(judged)
    const derive = async (hash: Root): Promise<DerivedReport> =>
      deriveReport({
        ...{ state, reference, standing, parameters },
        duties: await proposals.record(making, judged, hash),
        poolsPerPage: ports.poolsPerPage,
      })

    if (same !== undefined) {
      if ((await proposals.judging.published(same, making)) === undefined)
        return wait('the certificates of the commitment are being fetched')
      const derived = await derive(same.content.report.certificatesHash)
      if (chain.view().head !== state) return wait('events came in between', 0)
      const before = progress.get(same.id)
      const { since } = before?.posted === same.pagesPosted ? before : { since: clock.now() }
      progress.set(same.id, { posted: same.pagesPosted, since })
      return (await postPages(ports, { commitment: same, derived, committee, since }, jobSignal))
        ? { done: true }
        : wait('pages are missing')
    }
    const since = readySince.get(epoch) ?? clock.now()
    readySince.set(epoch, since)
    // Each leader's set makes a report; those that this member has found right it signs, the one that most have signed it commits.
    const turns = Math.floor((clock.now() - since) / (LEADER_SLOTS * beacon.spec.slotDurationMs))
    const first = leaderOf(committee, epoch, parameters)
    const reports: DerivedReport[] = []
    for (const hash of await proposals.candidates(making, judged, { first, turns })) reports.push(await derive(hash))
    // What was read in the meantime is kept: the next attempt is quick.
    if (chain.view().head !== state) return wait('events came in between', 0)
    const signed = reports.map((derived) => ({ derived, signers: agree(derived, committee) }))
    // Of as many signatures, those for the set with most bits: it comes first.
    const [best] = signed.toSorted((a, b) => b.signers.size - a.signers.size)
    if (best === undefined) return wait('the leader proposes the certificates', soonMs)
    const outcome = await commit(ports, { ...best, reference, committee, since }, jobSignal)
    // The others sign as soon as they have the set.
    return wait(outcome, best.signers.size < thresholdOf(committee.length) ? soonMs : retryMs)
  }

  queue.process(QUEUE, 2, async ({ data }, jobSignal) => {
    try {
      return await report(Number(data.epoch) as Epoch, jobSignal)
    } catch (error) {
      if (!jobSignal.aborted) log.warn('report attempt failed', { epoch: data.epoch, reason: reasonOf(error) })
      return wait(reasonOf(error), 2 * retryMs)
    }
  })

  ports.certificates.onProposal((from, proposal) => {
    if (maySign(chain.view().head, from, proposal.epoch, parameters)) proposals.receive(from, proposal)
  })
  // Every operator serves what was published, whoever signed it.
  const stopFollowing = chain.onChange(({ view, applied }) => {
    for (const event of applied) {
      if (event.name !== 'StateCommitments.StateCommitted') continue
      const committee = committeeOf(view.head, event.args.epoch, parameters)
      const commitment = view.head.commitments.get(event.args.commitmentId)
      if (committee === undefined || commitment === undefined) continue
      proposals.judging.published(commitment, { state: view.head, committee }).catch(complain('fetching'))
    }
  })
  signal.addEventListener('abort', stopFollowing)

  const stopListening = network.onMessage('report', (from, bytes) => {
    try {
      const message = decodeReportSignature(bytes)
      if (maySign(chain.view().head, from, message.epoch, parameters)) signatures.add(from, message)
    } catch (error) {
      log.debug('report message dropped', { from, reason: reasonOf(error) })
    }
  })
  signal.addEventListener('abort', stopListening)

  beacon.follow(
    {
      onHead: (head) => {
        capture(head.slot).catch(complain('capture'))
        void history.onHead(head, signal)
      },
      onFinalized: ({ epoch }) => {
        void history.onFinalized(epoch, signal)
        const due = reportEpochAt(epoch, parameters)
        if (due === undefined) return
        forgetReferences(ports.store, (due - EPOCHS_KEPT) as Epoch)
        for (const [id, { since }] of progress) if (since < clock.now() - PROGRESS_KEPT_MS) progress.delete(id)
        for (const known of readySince.keys()) if (known < due - EPOCHS_KEPT) readySince.delete(known)
        queue.add(QUEUE, `report/${due}`, { epoch: due }).catch(complain('queueing'))
      },
    },
    signal,
  )
}
