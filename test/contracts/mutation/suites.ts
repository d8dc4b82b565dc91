import { existsSync } from 'node:fs'

/** Tests of contracts that have none under their own name: bases, through what inherits them, and libraries, through who calls them. */
const ELSEWHERE: Readonly<Record<string, readonly string[]>> = {
  'consensus/BeaconClock': ['unit/pools/VaultDraws', 'unit/consensus/StateCommitments'],
  'libraries/HashToField': ['unit/libraries/Bls12381'],
  'libraries/RandaoSeeds': ['unit/pools/VaultDraws', 'unit/producers/Periods'],
  'libraries/Ssz': ['unit/libraries/BeaconProofs', 'unit/libraries/DepositData'],
  'pools/PoolBook': ['unit/pools/PoolRegistry', 'unit/pools/Exits'],
  'producers/BondUnits': ['unit/producers/BlockProducers', 'unit/producers/model'],
  'producers/PeriodLists': ['unit/producers/Periods'],
  'producers/Seats': ['unit/producers/BlockProducers', 'unit/producers/model'],
  'staking/StakingPool': ['unit/staking/StakingPool', 'unit/staking/ledger'],
  'staking/WithdrawalBatches': ['unit/staking/WithdrawalQueue'],
  'tokens/BondEther': ['unit/tokens/BondEther', 'unit/staking/ledger'],
}

/** The test files that have to notice a change of a contract, by its path under contracts/. Throws when one is missing. */
export function suitesOf(contract: string): readonly string[] {
  const name = contract.replace(/^contracts\//, '').replace(/\.sol$/, '')
  const suites = (ELSEWHERE[name] ?? [`unit/${name}`]).map((suite) => `test/contracts/${suite}.test.ts`)
  for (const suite of suites) if (!existsSync(suite)) throw new Error(`expected tests of ${contract} in ${suite}, found no such file`)
  return suites
}
