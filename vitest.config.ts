import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { defineConfig } from 'vitest/config'

/** Tests that are given services by test/global-setup.ts; all others start without waiting for any. */
const SERVICE_TESTS = [
  'test/backends/{delta,ducklake}/*.test.ts',
  'test/backends/*.test.ts',
  'test/cli/*.test.ts',
  'test/migrate/*.test.ts',
  'test/pipeline/{state,queue,coordination,end-to-end}/*.test.ts',
  'test/pipeline/extract/staging/*.test.ts',
  'test/pipeline/sources/postgres/*.test.ts',
  'test/pipeline/sources/files-*.test.ts',
  'test/platform/services/network/*.test.ts',
  'test/scenarios/oracle/planted-faults.test.ts',
  'test/scenarios/runner/{networks,cell-network}.test.ts',
  'test/scenarios/measure/{s3-requests,s3-audit,postgres-usage,wall-clock}.test.ts',
]

export default defineConfig({
  test: {
    // A native engine that crashes takes its process with it, and memory that it leaks goes with the process.
    pool: 'forks',
    // Many tests wait: for leases to end, for processes to start. A third one uses what two leave of two processors.
    maxWorkers: 3,
    // Tests start some thousand processes of ours, each of which would compile the same modules.
    env: { NODE_COMPILE_CACHE: join(tmpdir(), 'node-compile-cache') },
    testTimeout: 120_000,
    hookTimeout: 120_000,
    setupFiles: ['test/leaked-processes.ts'],
    projects: [
      {
        extends: true,
        test: { name: 'services', include: SERVICE_TESTS, globalSetup: ['test/global-setup.ts'] },
      },
      {
        extends: true,
        test: { name: 'plain', include: ['test/**/*.test.ts'], exclude: SERVICE_TESTS },
      },
    ],
  },
})
