/** Runs the cases of the library's client with another, a few at a time, and prints a line for each. */
import { createClient } from '../../../src/client/index.ts'
import { silentLog } from '../../../src/observe/index.ts'
import { casesWith } from './cases.ts'
import { Counterpart, type OtherClient } from './counterpart.ts'
import type { Case } from './world.ts'

const casesAtOnce = 4
const caseTimeoutMs = 90_000

const [bootstrap = '', program = '', only = ''] = process.argv.slice(2)
const otherClient = JSON.parse(program) as OtherClient
const left = casesWith(otherClient).filter(({ name }) => name.includes(only))
const other = new Counterpart(otherClient, bootstrap)
const passed = await Promise.all(Array.from({ length: casesAtOnce }, runSome))
await other[Symbol.asyncDispose]()
process.exit(passed.every(Boolean) ? 0 : 1)

/** Runs cases until there are none left; answers whether all of them passed. */
async function runSome(): Promise<boolean> {
  let allPassed = true
  for (let next = left.shift(); next !== undefined; next = left.shift()) {
    allPassed = (await runCase(next)) && allPassed
  }
  return allPassed
}

async function runCase({ name, body }: Case): Promise<boolean> {
  const started = Date.now()
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('not done in time')), caseTimeoutMs)
  })
  const client = createClient({ brokers: bootstrap, log: silentLog })
  try {
    await Promise.race([body({ bootstrap, client, other }), late])
    console.log(`PASS ${name} ${Date.now() - started}`)
    return true
  } catch (error) {
    const reason = error instanceof Error ? (error.stack ?? error.message) : String(error)
    console.log(`FAIL ${name} ${Date.now() - started}: ${reason.replace(/\s*\n\s*/g, ' | ')}`)
    return false
  } finally {
    clearTimeout(timer)
    await client.close()
  }
}
