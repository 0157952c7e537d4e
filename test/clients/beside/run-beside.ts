import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { runProgram } from '../run-program.ts'
import type { BrokerUnderTest } from '../toolchain.ts'
import type { OtherClient } from './counterpart.ts'

const here = dirname(fileURLToPath(import.meta.url))

/** Runs the cases of the library's client with another, in a process of their own. */
export function runBeside(
  other: OtherClient,
  broker: BrokerUnderTest,
  only: string,
  line: (text: string) => void,
): Promise<void> {
  const program = ['--import', 'tsx', join(here, 'main.ts')]
  const given = [broker.bootstrap, JSON.stringify(other), only]
  return runProgram(process.execPath, [...program, ...given], line)
}
