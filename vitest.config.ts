import { join } from 'node:path'
import { defineConfig, type ViteUserConfig } from 'vitest/config'

// Tests run against the sources: the workspace's own condition comes first in every package's exports.
// The other conditions are Node's own: with 'import' or 'module' among them, packages that Node loads would break.
const conditions = ['holdfast-source', 'node']
const minute = 60_000

const config: ViteUserConfig = defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: conditions } },
  test: {
    // Integration tests start servers: three files at a time keep two cores busy.
    maxWorkers: 3,
    // Programs of our own run from their sources in tests: they need not be compiled at every start.
    env: { NODE_COMPILE_CACHE: join(import.meta.dirname, '.cache/compiled') },
    setupFiles: ['tests/setup/child-coverage.ts'],
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['{packages,examples}/*/src/**/*.test.ts', 'tests/unit/**/*.test.ts'],
          exclude: ['**/*.integration.test.ts', '**/node_modules/**', '**/dist/**'],
          testTimeout: minute / 2,
        },
      },
      {
        extends: true,
        test: {
          name: 'integration',
          include: ['{packages/*/src,scripts}/**/*.integration.test.ts', 'tests/integration/**/*.test.ts'],
          testTimeout: 2 * minute,
          hookTimeout: 2 * minute,
        },
      },
      {
        extends: true,
        test: { name: 'e2e', include: ['tests/e2e/**/*.test.ts'], testTimeout: 3 * minute, hookTimeout: 3 * minute },
      },
      {
        // Needs servers that scripts/matrix starts and names: npm run test:matrix.
        extends: true,
        test: {
          name: 'matrix',
          include: ['tests/matrix/**/*.test.ts'],
          testTimeout: 3 * minute,
          hookTimeout: 3 * minute,
        },
      },
      {
        extends: true,
        test: {
          name: 'slow',
          include: [
            'tests/e2e/{crash-loop,killed-staged-restore}.test.ts',
            'packages/core/src/cipher/gpg.integration.test.ts',
            'packages/driver-sqlite/src/{damaged-backup,killed}.integration.test.ts',
            'packages/storage-s3/src/memory.integration.test.ts',
          ],
          env: {
            HOLDFAST_CRASHES: '500',
            HOLDFAST_GPG_DAMAGES: '1000',
            HOLDFAST_RESTORE_KILLS: '100',
            HOLDFAST_SQLITE_DAMAGES: '1000',
            HOLDFAST_SQLITE_KILLS: '100',
            HOLDFAST_UPLOAD_GIB: '5',
          },
          testTimeout: 60 * minute,
          hookTimeout: 5 * minute,
        },
      },
    ],
    coverage: {
      provider: 'v8',
      include: ['packages/*/src/**/*.ts'],
      exclude: ['**/*.test.ts', '**/index.ts'],
      reporter: ['json-summary'],
      reportOnFailure: true,
      // What the SQLite driver does in a process of its own counts; see tests/setup/child-coverage.ts.
      autoAttachSubprocess: true,
    },
  },
})

export default config
