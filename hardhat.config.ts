import { fileURLToPath } from 'node:url'
import hardhatToolboxMochaEthers from '@nomicfoundation/hardhat-toolbox-mocha-ethers'
import { defineConfig } from 'hardhat/config'
import type { HardhatPlugin } from 'hardhat/types/plugins'
import { steadyChains } from './test/support/steady-chains.ts'

// The compiler comes from npm: nothing is downloaded at build time.
const solc = fileURLToPath(import.meta.resolve('solc/soljson.js'))

/** The file system lists artifacts in any order; the generated bindings are committed, so theirs has to be one. */
const orderedArtifacts: HardhatPlugin = {
  id: 'open-pools:ordered-artifacts',
  hookHandlers: {
    solidity: async () => ({
      default: async () => ({
        async processArtifactsAfterSuccessfulBuild(_context, artifactPaths) {
          // The one array that all handlers get, this one first.
          ;(artifactPaths as string[]).sort()
        },
      }),
    }),
  },
}

export default defineConfig({
  plugins: [orderedArtifacts, steadyChains, hardhatToolboxMochaEthers],
  solidity: {
    version: '0.8.37',
    path: solc,
    // Without the hash of all that was compiled with it, a contract's code follows from its sources alone: so do the bindings.
    settings: { evmVersion: 'prague', optimizer: { enabled: true, runs: 200 }, metadata: { bytecodeHash: 'none' } },
  },
  networks: {
    default: { type: 'edr-simulated', chainType: 'l1', hardfork: 'prague', initialDate: '2030-01-01T00:00:00Z' },
  },
  // Harnesses make libraries callable for tests; they are compiled as sources so that tests find their artifacts.
  paths: { sources: ['contracts', 'test/contracts/harness'], tests: { mocha: 'test/contracts', solidity: 'test/contracts' } },
  test: {
    // Of a machine that does other things besides.
    mocha: { timeout: 600_000 },
    solidity: { fsPermissions: { readFile: ['devnet/chain/execution/system-contracts.json'] } },
  },
  typechain: { outDir: 'typechain-types' },
})
