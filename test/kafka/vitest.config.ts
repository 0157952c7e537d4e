import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

/** For `scripts/test-kafka.js`: the conformance suite against one implementation, started once. */
export default defineConfig({
  root: fileURLToPath(new URL('../..', import.meta.url)),
  test: {
    include: [
      'test/conformance/**/*.test.ts',
      // What needs Kafka's jars, but no broker of the suite's, is run once.
      ...(process.env['MILLRACE_CONFORMANCE'] === 'kafka-4.1' ? ['test/kafka/*.test.ts'] : []),
    ],
    globalSetup: ['test/conformance/global-setup.ts'],
    testTimeout: 60_000,
    hookTimeout: 120_000,
    // The cases mostly wait: many at once use two cores better than few.
    maxConcurrency: 12,
    maxWorkers: 2,
    retry: Number(process.env['MILLRACE_TEST_RETRIES'] ?? 0),
  },
})
