/**
 * franz-go's own tests, as its module brings them: chains of consumers that write on while members join and
 * leave, in every way to share and in transactions. Only those that need a broker are run.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { Toolchain } from '../toolchain.ts'
import { buildGo } from './build.ts'
import { missingGo } from './toolchain.ts'

const records = 20_000
const tests = [
  'TestGroupETL',
  'TestTxnEtl',
  'TestGroupSimple',
  'Test848RegexBrokerResolves',
  'TestAddRemovePartitions',
  'TestClient_Produce',
  'TestConsumeMaxDecompressBatchBytes',
  'TestConsumeRegex',
  'TestDirectPartitionPurge',
  'TestIssue(325|337|434|489|523|648|769|810|831|865)',
  'TestIssueFetchLargerThanBrokerMaxReadBytes',
  'TestIssueProduceSyncManualPartitionNegativeDoesNotPanic',
  'TestPauseIssue.*',
  'TestProduceConsumeUntil.*',
  'TestUnknownGroupOffsetFetchPinned',
]

/** What `go test -v` says of a test, also of one within another. */
const outcome = /^\s*--- (PASS|FAIL|SKIP): (\S+) \(([\d.]+)s\)$/

export const franzSuite: Toolchain = {
  name: 'franz-go-tests',
  missing: missingGo,
  async run(broker, only, line) {
    const program = await buildGo(['test', '-c'], 'github.com/twmb/franz-go/pkg/kgo')
    const chosen = `^(${tests.filter((test) => test.includes(only)).join('|')})$`
    const options = ['-test.v', '-test.timeout=300s', `-test.run=${chosen}`]
    const environment = {
      KGO_SEEDS: broker.bootstrap,
      KGO_TEST_RF: '1',
      KGO_TEST_RECORDS: String(records),
    }
    const child = spawn(program, options, {
      // Its clients tell all they do on the other output.
      stdio: ['ignore', 'pipe', 'ignore'],
      env: { ...process.env, ...environment },
    })
    const stop = (): void => void child.kill('SIGKILL')
    process.once('exit', stop)
    const exited = once(child, 'exit') as Promise<[number | null, string | null]>
    let failures = 0
    let said: string[] = []
    for await (const text of createInterface({ input: child.stdout })) {
      const [, result, name = '', seconds = ''] = outcome.exec(text) ?? []
      if (result === undefined) {
        said.push(text)
        continue
      }
      if (result === 'FAIL') failures += 1
      if (result === 'SKIP') line(`SKIP ${name}: it says that this broker cannot do it`)
      else if (result === 'PASS') line(`PASS ${name} ${Number(seconds) * 1000}`)
      else line(`FAIL ${name} ${Number(seconds) * 1000}: ${said.slice(-20).join(' | ')}`)
      said = []
    }
    const [code, signal] = await exited
    process.removeListener('exit', stop)
    if (code !== 0 && failures === 0) {
      throw new Error(
        `franz-go's tests ended with ${code ?? signal ?? '?'}: ${said.slice(-20).join('\n')}`,
      )
    }
  },
}
