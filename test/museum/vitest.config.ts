import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'
import { defects } from './defects.ts'
import { injectDefect } from './inject.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** One project for each exhibit: the suite that guards against a defect, and the source with it. */
export default defineConfig({
  root,
  test: {
    maxWorkers: 2,
    projects: defects.map((defect) => ({
      root,
      plugins: [injectDefect(root, defect)],
      test: {
        name: defect.name,
        include: [defect.caughtBy],
        setupFiles: ['test/museum/first-failure.ts'],
        provide: { wordsOfTest: defect.test ?? '' },
        testTimeout: 30_000,
      },
    })),
  },
})
