import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'
import { injectDefect } from './test/museum/inject.ts'

const root = fileURLToPath(new URL('.', import.meta.url))

export default defineConfig({
  plugins: [injectDefect(root)],
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
    exclude: ['test/kafka/**', 'test/clients/**', 'test/conformance/**', 'node_modules/**'],
    // Concurrent tests start processes: the museum.
    maxConcurrency: 2,
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
})
