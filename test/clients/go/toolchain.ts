/** Go's clients: franz-go, sarama and kafka-go. */
import { spawnSync } from 'node:child_process'
import { runProgram } from '../run-program.ts'
import type { BrokerUnderTest, Toolchain } from '../toolchain.ts'
import { buildGo } from './build.ts'

/** Go 1.21 fetches the release that the modules ask for; before, there is no fetching. */
const oldest = { major: 1, minor: 21 }

/** The cases on one of Go's clients; `folder` has its program. */
export function goClient(name: string, folder: string): Toolchain {
  return {
    name,
    missing: missingGo,
    async run(broker, only, line) {
      const program = await buildGo(['build'], `./${folder}`)
      await runProgram(program, [...given(broker), '-only', only], line)
    },
  }
}

/** Why no Go program can be built on this machine; undefined when one can. */
export function missingGo(): string | undefined {
  const found = spawnSync('go', ['env', 'GOVERSION'], { encoding: 'utf8' })
  const missing = 'Go (1.21 or newer) is not installed'
  if (found.status !== 0) return missing
  const version = /^go(\d+)\.(\d+)/.exec(found.stdout)
  if (version === null) return missing
  const isOld = Number(version[1]) === oldest.major && Number(version[2]) < oldest.minor
  return isOld ? `Go 1.${version[2]} is installed, and 1.21 or newer is needed` : undefined
}

function given(broker: BrokerUnderTest): string[] {
  const options = [
    ['-bootstrap', broker.bootstrap],
    ['-sasl', broker.saslBootstrap],
    ['-tls', broker.tlsBootstrap],
    ['-ca', broker.authorityFile],
    ['-user', broker.user],
    ['-password', broker.password],
  ] as const
  return options.flatMap(([name, value]) => (value === undefined ? [] : [name, value]))
}
