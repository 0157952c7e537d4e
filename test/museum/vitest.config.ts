import { fileURLToPath } from 'node:url'
import type { Plugin } from 'vite'
import { defineConfig } from 'vitest/config'
import { defects } from './defects.ts'
import { injectDefect } from './inject.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** Files that a defect is put into: what they become is not the same everywhere. */
const changed = new Set(defects.map(({ file }) => `${root}${file}`))
const isShared = ({ id }: { readonly id: string }) => (changed.has(id) ? false : undefined)

/** Most of the time of a run would be the loading of all the other files, if each exhibit did that for itself. */
const shareLoading: Plugin = {
  name: 'share-loading',
  configureVitest: ({ experimental_defineCacheKeyGenerator: define }) => define(isShared),
}

/** One project for each exhibit: the suite that guards against a defect, and the source with it. */
export default defineConfig({
  root,
  test: {
    maxWorkers: 2,
    experimental: { fsModuleCache: true, fsModuleCachePath: `${root}.cache/museum` },
    projects: defects.map((defect) => ({
      root,
      plugins: [injectDefect(root, defect), shareLoading],
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
