import type { TestProject } from 'vitest/node'
import { chosenImplementation, startImplementation } from './implementation.ts'

/** Starts the implementation once for all files, and stops it after the last one. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const implementation = await startImplementation(chosenImplementation())
  const { bootstrap, saslBootstrap } = implementation
  project.provide('conformanceAddresses', { bootstrap, saslBootstrap })
  return async () => {
    await implementation[Symbol.asyncDispose]()
  }
}
