import { globSync } from 'node:fs'

/** Tests of contracts that have none under their own name, or have more: bases through what inherits them, libraries through who calls them. */
const ELSEWHERE: Readonly<Record<string, readonly string[]>> = {
  'consensus/BeaconClock': ['consensus/StateCommitments', 'pools/VaultDraws'],
  'consensus/CommitmentBook': ['consensus/StateCommitments', 'consensus/Disputes'],
  'consensus/CommitmentPages': ['consensus/StateCommitments'],
  'consensus/ProducerAccess': ['consensus/BeaconLayout', 'consensus/Votes'],
  'consensus/SignerSlashing': ['consensus/Disputes', 'consensus/Votes'],
  'consensus/Slashing': ['consensus/Equivocations', 'consensus/PoolFaults'],
  'consensus/Voters': ['consensus/Votes', 'consensus/BeaconLayout'],
  'libraries/BalancePages': ['libraries/BalancePages', 'consensus/PoolFaults'],
  'libraries/BeaconSignatures': ['consensus/PoolFaults'],
  'libraries/CommitmentContent': ['consensus/StateCommitments', 'consensus/Disputes'],
  'libraries/DkgProofs': ['pools/DkgDisputes'],
  'libraries/HashToField': ['libraries/Bls12381'],
  'libraries/RandaoSeeds': ['pools/VaultDraws', 'producers/Periods'],
  'libraries/Ssz': ['libraries/BeaconProofs', 'libraries/DepositData'],
  'libraries/TypedData': ['consensus/Equivocations', 'producers/BlockProducers'],
  'pools/CeremonySignatures': ['pools/Ceremonies', 'pools/PoolRegistry'],
  'pools/PoolBook': ['pools/PoolRegistry', 'pools/Exits', 'pools/Rotations', 'audit/pools'],
  'pools/PoolRegistry': ['pools/PoolRegistry', 'pools/Ceremonies', 'audit/pools'],
  'producers/Accounts': ['producers/Seats', 'producers/BlockProducers', 'producers/model', 'pools/VaultDraws'],
  'producers/BlockProducers': ['producers/BlockProducers', 'producers/leaving'],
  'producers/BondUnits': ['producers/BlockProducers', 'producers/model'],
  'producers/Penalties': [
    'producers/Penalties',
    'producers/BlockProducers',
    'producers/Seats',
    'producers/leaving',
    'consensus/PoolFaults',
  ],
  'producers/PeriodLists': ['producers/Periods', 'producers/leaving', 'producers/model'],
  'producers/ProducerBook': ['producers/BlockProducers', 'producers/leaving', 'producers/model', 'producers/Committees'],
  'producers/Released': ['producers/Seats', 'producers/leaving', 'producers/model'],
  'producers/Seats': ['producers/Seats', 'producers/leaving', 'producers/BlockProducers', 'producers/model'],
  'staking/StakingPool': ['staking/StakingPool', 'staking/fee', 'audit/cover', 'staking/ledger'],
  'staking/WithdrawalBatches': ['staking/WithdrawalQueue'],
  'tokens/BondEther': ['tokens/BondEther', 'staking/ledger'],
}

/** One suite: `X.test.ts`, or cut by subject `X.subject.test.ts`, or both. */
function filesOf(suite: string): readonly string[] {
  const base = `test/contracts/unit/${suite}`
  return [...globSync(`${base}.test.ts`), ...globSync(`${base}.*.test.ts`).sort()]
}

/** The test files that have to notice a change of a contract, by its path from the root. Throws when one is missing. */
export function suitesOf(contract: string): readonly string[] {
  const name = contract.replace(/^contracts\//, '').replace(/\.sol$/, '')
  return (ELSEWHERE[name] ?? [name]).flatMap((suite) => {
    const files = filesOf(suite)
    if (files.length === 0) throw new Error(`expected tests of ${contract} in test/contracts/unit/${suite}.test.ts, found no such file`)
    return files
  })
}
