import { fileURLToPath } from 'node:url'
import hardhatToolboxMochaEthers from '@nomicfoundation/hardhat-toolbox-mocha-ethers'
import { defineConfig } from 'hardhat/config'

// The compiler comes from npm: nothing is downloaded at build time.
const solc = fileURLToPath(import.meta.resolve('solc/soljson.js'))

export default defineConfig({
  plugins: [hardhatToolboxMochaEthers],
  solidity: {
    version: '0.8.37',
    path: solc,
    settings: { evmVersion: 'prague', optimizer: { enabled: true, runs: 200 } },
  },
  networks: {
    default: { type: 'edr-simulated', chainType: 'l1', hardfork: 'prague' },
  },
  // Harnesses make libraries callable for tests; they are compiled as sources so that tests find their artifacts.
  paths: { sources: ['contracts', 'test/contracts/harness'], tests: { mocha: 'test/contracts', solidity: 'test/contracts' } },
  typechain: { outDir: 'typechain-types' },
})
