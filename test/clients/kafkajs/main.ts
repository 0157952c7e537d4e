/** Runs the cases on kafkajs, a few at a time, and prints a line for each. */
import type { BrokerUnderTest } from '../toolchain.ts'
import { adminCases } from './admin-cases.ts'
import { Cluster, Skipped, type Case } from './cluster.ts'
import { groupCases } from './group-cases.ts'
import { producerCases } from './producer-cases.ts'
import { securityCases } from './security-cases.ts'
import { transactionCases } from './transaction-cases.ts'

const casesAtOnce = 4
const caseTimeoutMs = 60_000

const [brokerText = '', only = ''] = process.argv.slice(2)
const broker = JSON.parse(brokerText) as BrokerUnderTest
const cases = [
  ...producerCases,
  ...transactionCases,
  ...groupCases,
  ...adminCases,
  ...securityCases,
].filter(({ name }) => name.includes(only))

const passed = await Promise.all(Array.from({ length: casesAtOnce }, runSome))
process.exit(passed.every(Boolean) ? 0 : 1)

/** Runs cases until there are none left; answers whether all of them passed. */
async function runSome(): Promise<boolean> {
  let passed = true
  for (let next = cases.shift(); next !== undefined; next = cases.shift()) {
    passed = (await runCase(next)) && passed
  }
  return passed
}

async function runCase({ name, body }: Case): Promise<boolean> {
  const started = Date.now()
  const elapsedMs = (): number => Date.now() - started
  let timer: NodeJS.Timeout | undefined
  try {
    await using cluster = new Cluster(broker)
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error('not done in time')), caseTimeoutMs)
    })
    await Promise.race([body(cluster), late])
    console.log(`PASS ${name} ${elapsedMs()}`)
    return true
  } catch (error) {
    if (error instanceof Skipped) {
      console.log(`SKIP ${name}: ${error.message}`)
      return true
    }
    const reason = error instanceof Error ? (error.stack ?? error.message) : String(error)
    console.log(`FAIL ${name} ${elapsedMs()}: ${reason.replace(/\s*\n\s*/g, ' | ')}`)
    return false
  } finally {
    clearTimeout(timer)
  }
}
