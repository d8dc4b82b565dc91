// Biome formats and lints; this one rule needs types, which Biome does not have.
import tseslint from 'typescript-eslint'

export default tseslint.config(
  { ignores: ['node_modules', 'typechain-types', 'artifacts', 'cache', 'coverage', 'scripts/*.mjs', 'eslint.config.js'] },
  {
    files: ['**/*.ts'],
    languageOptions: { parser: tseslint.parser, parserOptions: { projectService: true } },
    plugins: { '@typescript-eslint': tseslint.plugin },
    rules: {
      '@typescript-eslint/no-floating-promises': [
        'error',
        // The test runner itself awaits what these return.
        { allowForKnownSafeCalls: [{ from: 'package', name: ['describe', 'it', 'suite', 'test'], package: 'node:test' }] },
      ],
      '@typescript-eslint/no-misused-promises': 'error',
    },
  },
)
