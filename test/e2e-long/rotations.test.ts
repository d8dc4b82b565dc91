import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { devnet } from '../../deploy/parameters/devnet.ts'
import { BeaconApi } from '../../devnet/life/beacon-api.ts'
import { DutyWatch } from '../../devnet/life/duty-watch.ts'
import type { PublicKey } from '../../operator/core/ids.ts'
import { PoolRegistry__factory, Rotations__factory } from '../../typechain-types/index.ts'
import { OperatorVault } from '../support/operator-vault.ts'

const POOL = 1
const SLOTS_PER_EPOCH = 4
const EVERYBODY = [0, 1, 2, 3]
const HANDOVERS = 3
/** Epochs of duties before a cutover and after it. */
const BEFORE = 2
const AFTER = 4

// As often as a deployment allows, drawn each time; no report comes due meanwhile, since slots come too fast at first for duties.
const CHOICES = { rotationPeriod: devnet.seedDelay + devnet.ceremonyDeadline + devnet.rotationMargin + 1n, reportEpochs: 400n }

const epochOf = (slot: number): number => Math.floor(slot / SLOTS_PER_EPOCH)

describe('the key of four operators, drawn anew again and again', { timeout: 1_800_000 }, () => {
  let vault: OperatorVault
  let key: PublicKey
  let rotations: ReturnType<typeof Rotations__factory.connect>
  let duties: Promise<Awaited<ReturnType<typeof watchDuties>>>
  const completed = async () =>
    (await rotations.queryFilter(rotations.filters.RotationCompleted())).map(({ args }) => ({
      round: Number(args.round),
      cutover: Number(args.cutover),
    }))

  before(async () => {
    vault = await OperatorVault.start({ slotsBehind: 150, paceMs: 400, choices: CHOICES })
    rotations = Rotations__factory.connect(vault.addresses.rotations, vault.provider)
    await vault.deposit()
    const [first] = await vault.statuses('a key', ({ pools: [pool] }) => pool?.publicKey != null && pool.share)
    key = first?.pools[0]?.publicKey ?? assert.fail('expected a key')
    duties = watchDuties()
    duties.catch(() => undefined)
  })
  after(() => vault?.stop())

  /** From the time when slots come in their time and the validator is active, until epochs after a cutover that is in between. */
  async function watchDuties() {
    const { chain } = vault
    const beacon = new BeaconApi(chain.beaconUrl)
    const validator = async () => (await beacon.validators('head', [key]))[0]
    await vault.until('slots in their time', () => chain.isUpToDate)
    await vault.statuses('all ready', ({ ready }) => ready)
    await vault.until('an active validator', async () => (await validator())?.status === 'active_ongoing')

    const watch = new DutyWatch(beacon, SLOTS_PER_EPOCH)
    const index = (await validator())?.index ?? -1
    const from = epochOf(chain.slot) + 2
    watch.watch(index, from)
    let cutover: number | undefined
    await vault.until('epochs of another vault', async () => {
      await watch.catchUp(chain.slot)
      cutover ??= (await completed()).find((one) => one.cutover >= from + BEFORE)?.cutover
      return cutover !== undefined && epochOf(chain.slot) > cutover + AFTER
    })
    const head = chain.slot
    const since = watch.attestationsSince({ validator: index, epoch: cutover ?? 0, head })
    return { ...watch.counts(head), since, seen: `from epoch ${from}, cutover ${cutover}, head ${head}` }
  }

  it('stays the same: three vaults in a row sign with it, and nothing of the one before is left on any disk', async () => {
    const registry = PoolRegistry__factory.connect(vault.addresses.poolRegistry, vault.provider)
    let last = 0
    for (let handovers = 0; handovers < HANDOVERS; handovers++) {
      await vault.until('another vault', async () => (await completed()).some(({ round }) => round > last))
      const { round, cutover } = (await completed()).find((one) => one.round > last) ?? assert.fail('expected a handover')
      const taken = await vault.statuses(`the vault of round ${round}`, ({ pools: [pool] }) => pool?.round === round && pool.share)
      for (const { pools } of taken) assert.equal(pools[0]?.publicKey, key)
      assert.equal((await registry.pool(POOL)).publicKey, key)
      for (const places of [EVERYBODY.slice(1), EVERYBODY.slice(0, -1)]) {
        assert.ok(await vault.signs({ poolId: POOL, round, key, places }), `places ${places.join()} in round ${round}`)
      }
      // Both shares until the old one's last epoch is final, then the new one only, on every disk.
      const isOfRound = (name: string): boolean => name.startsWith(`pool-${POOL}-round-${round}.`)
      await vault.until(`shares of round ${round} only`, () => EVERYBODY.every((place) => vault.shareFiles(place).every(isOfRound)))
      assert.ok(vault.chain.finalizedEpoch >= cutover, `final to epoch ${vault.chain.finalizedEpoch}, cutover ${cutover}`)
      last = round
    }
  })

  it('is handed over without a missed duty of its validator', async () => {
    const { attestations, proposals, since, seen } = await duties
    const statuses = await Promise.all(vault.operators.map((operator) => operator.status()))
    const reasons = JSON.stringify(statuses.map((status) => status?.duties.lastMissed.slice(-2)))
    const { due, included } = { due: attestations.due + proposals.due, included: attestations.included + proposals.included }
    assert.equal(included, due, `${seen}: ${reasons}`)
    assert.ok(since.due >= AFTER - 1, `${seen}: ${since.due} attestations due since`)
  })
})
