import { formatEther, isError, parseEther } from 'ethers'
import { statusOf } from '../operators.ts'
import type { Person } from '../people.ts'
import { until } from '../wait.ts'
import type { AfterHandover, OnEthereum, Request, Stage, Withdrawals, WithPools } from '../world.ts'

/** What the first step asks beyond what is buffered: enough for one pool, not for two. */
const BEYOND_BUFFER = parseEther('20')
/** The second step, after the first draw: beyond the 32 ETH under way. */
const SECOND_STEP = parseEther('19')
/** Who holds less leaves it. */
const LEAST_REQUEST = parseEther('0.01')

/** Asks for an amount, person after person as much as each holds, all at the same time. */
async function ask(world: AfterHandover, amount: bigint): Promise<readonly Request[]> {
  const { network, processes, contracts, stakers } = world
  const parts: { readonly person: Person; readonly part: bigint }[] = []
  let left = amount
  for (const person of stakers) {
    const balance = await contracts.bondEther.balanceOf(person.address)
    const part = balance < left ? balance : left
    if (part < LEAST_REQUEST) continue
    parts.push({ person, part })
    left -= part
    if (left === 0n) break
  }
  if (left > 0n) throw new Error(`the stakers hold ${formatEther(left)} ETH less than they should ask for`)
  const requests = await Promise.all(
    parts.map(async ({ person, part }) => {
      const output = await processes.run('scripts/stake.ts', [
        'withdraw',
        ...['--amount', formatEther(part), '--rpc-url', network.executionUrl, '--directory', network.directory],
        ...['--key-file', person.keyFile, '--password-file', person.passwordFile, '--json'],
      ])
      return { person, requestId: (JSON.parse(output) as { requestId: string }).requestId }
    }),
  )
  return requests.toSorted((one, other) => Number(one.requestId) - Number(other.requestId))
}

async function nextDrawn(world: AfterHandover, known: number, signal: AbortSignal): Promise<number> {
  const { exits } = world.contracts
  return until(async () => {
    const drawn = await exits.queryFilter(exits.filters.LiquidationDrawn())
    world.screen.status(`pools drawn for liquidation: ${drawn.length}`)
    return drawn.length > known ? Number(drawn[known]?.args.poolId) : undefined
  }, signal)
}

/** The commitment committee of this period: in its first slots it is not formed yet. */
function committeeNow({ contracts, screen }: AfterHandover, signal: AbortSignal): Promise<readonly bigint[]> {
  const { periods } = contracts
  return until(async () => {
    try {
      const [committee] = await periods.committee(await periods.currentPeriod())
      return committee
    } catch (error) {
      if (!(isError(error, 'CALL_EXCEPTION') && error.revert?.name === 'CommitteeIncomplete')) throw error
      screen.status('a period begins: its committee is being formed')
      return undefined
    }
  }, signal)
}

/** The members of a pool's vault as registered now. */
async function vaultOf({ contracts }: AfterHandover, poolId: number): Promise<readonly number[]> {
  return (await contracts.poolRegistry.vault(poolId)).map(Number)
}

/** Stops two members of a vault, never two of the commitment committee. Returns their names. */
async function stopTwoMembers(world: AfterHandover, poolId: number, signal: AbortSignal): Promise<readonly string[]> {
  const members = await vaultOf(world, poolId)
  const committee = await committeeNow(world, signal)
  const inCommittee = (producerId: number): boolean => committee.map(Number).includes(producerId)
  const order = [...members].sort((a, b) => Number(inCommittee(a)) - Number(inCommittee(b)))
  const chosen = order.slice(0, 2)
  if (chosen.every(inCommittee)) throw new Error('both members that could be stopped sit in the commitment committee')
  const stopped = world.operators.filter(({ producerId }) => chosen.includes(producerId))
  for (const operator of stopped) {
    operator.process?.signal('SIGSTOP')
    operator.state = 'stopped'
  }
  return stopped.map(({ name }) => name)
}

/** Two steps of requests, one pool that exits by its vault's signature, one that must be forced. */
export const withdrawalsStage: Stage<AfterHandover, Withdrawals> = {
  name: 'stakers ask for their ETH back',
  seconds: 300,
  async run(world, signal) {
    const { contracts, beacon } = world
    let forcedExits = 0
    const buffered = await contracts.stakingPool.unreserved()
    const early = await ask(world, buffered + BEYOND_BUFFER)
    const first = await nextDrawn(world, 0, signal)
    stopCounting(world, first, await headEpoch(world))
    const late = await ask(world, SECOND_STEP)
    const second = await nextDrawn(world, 1, signal)
    stopCounting(world, second, await headEpoch(world))
    const names = await stopTwoMembers(world, second, signal)
    // Their other vaults of four still have three members, or two: what these miss is not the protocol's fault.
    // Those of the one who left may have been handed over since, or be until their cutover: both vaults count.
    const runs = (id: number): boolean => world.operators.some(({ producerId, state }) => producerId === id && state === 'running')
    for (const { poolId, members } of world.pools) {
      const vaults = [members, await vaultOf(world, poolId)]
      if (vaults.some((vault) => vault.filter(runs).length < 3)) stopCounting(world, poolId, await headEpoch(world))
    }

    const keyOf = (poolId: number): string => world.pools.find((pool) => pool.poolId === poolId)?.publicKey ?? ''
    await until(async () => {
      const [exited] = await beacon.validators('head', [keyOf(first)])
      world.screen.status(`pool ${first}: ${exited?.status}; pool ${second} cannot sign, ${names.join(' and ')} are stopped`)
      return exited !== undefined && exited.exitEpoch !== Infinity ? true : undefined
    }, signal)
    await until(async () => {
      const forced = await contracts.exits.queryFilter(contracts.exits.filters.ExitForced())
      const [exited] = await beacon.validators('head', [keyOf(second)])
      const { deadline } = await contracts.exits.exit(second)
      world.screen.status(`pool ${second} may be forced after epoch ${deadline}; forced exits: ${forced.length}`)
      forcedExits = new Set(forced.map(({ args }) => Number(args.poolId))).size
      return exited !== undefined && exited.exitEpoch !== Infinity && forcedExits > 0 ? true : undefined
    }, signal)
    for (const operator of world.operators) {
      if (operator.state !== 'stopped') continue
      operator.process?.signal('SIGCONT')
      operator.state = 'running'
    }
    const ready = await Promise.all(world.operators.map(statusOf))
    const summary = `pool ${first} exited by its vault, pool ${second} was forced; ${ready.filter((status) => status !== undefined).length} operators answer`
    return { added: { requests: [...early, ...late], forcedExits }, summary }
  },
}

async function headEpoch(world: OnEthereum): Promise<number> {
  return Math.floor(((await world.beacon.header('head'))?.slot ?? 0) / world.slotsPerEpoch)
}

function stopCounting(world: WithPools, poolId: number, epoch: number): void {
  const pool = world.pools.find((one) => one.poolId === poolId)
  if (pool !== undefined) world.duties.unwatch(pool.validatorIndex, epoch)
}
