export const CHAIN_ID = 32382

/** The well-known development mnemonic; its accounts hold ether on this chain only. */
export const MNEMONIC = 'test test test test test test test test test test test junk'
export const ACCOUNTS = 40
export const ACCOUNT_BALANCE_WEI = 10_000n * 10n ** 18n

/** Block gas limit, as on mainnet in 2025. */
export const GAS_LIMIT = 36_000_000n
