import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
    exclude: [
      ...['test/kafka/**', 'test/clients/**', 'test/conformance/**', 'node_modules/**'],
      // Has minutes of its own: `npm run test:museum`.
      ...(process.env['MILLRACE_TEST_MUSEUM'] === undefined ? ['test/museum/museum.test.ts'] : []),
    ],
    // No module of ours keeps anything between calls, so that files can share one load of them all:
    // that takes longer than most tests.
    isolate: false,
    maxWorkers: '100%',
    testTimeout: 30_000,
    // What is waited for comes late on a busy machine.
    expect: { poll: { timeout: 20_000 } },
    hookTimeout: 60_000,
    // Not for whoever works on it: what fails now and then is to be seen.
    retry: Number(process.env['MILLRACE_TEST_RETRIES'] ?? 0),
  },
})
