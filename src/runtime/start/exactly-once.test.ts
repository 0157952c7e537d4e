/**
 * Promise: exactly-once does not start where it could not be kept.
 *
 * Proves: 6
 */
import { describe, expect, it } from 'vitest'
import { createClient } from '../../client/index.ts'
import { silentLog } from '../../observe/index.ts'
import { startRuntimeWorld } from '../fixture/runtime-world.ts'
import type { RuntimeWorld } from '../fixture/runtime-world.ts'
import { checkExactlyOnce } from './exactly-once.ts'
import { Findings } from './findings.ts'

/** What is found in the way of consumers with these transactional ids. */
async function refusalsOf(world: RuntimeWorld, ...ids: (string | undefined)[]) {
  const admin = world.driver.admin()
  const findings = new Findings(silentLog)
  await checkExactlyOnce({
    ...{ admin, findings, clock: world.platform.clock, cluster: await admin.cluster.describe() },
    consumers: ids.map((transactionalId) => ({
      groupId: 'pricing',
      exactlyOnce: { transactionalId, transactionTimeoutMs: 10_000, stagedBytesMax: 1_000 },
    })),
    signal: new AbortController().signal,
  })
  return findings.refusals
}

describe('exactly-once at start', () => {
  it('is refused where brokers leave too little room beside offsets', async () => {
    await using world = await startRuntimeWorld({}, { 'offset.metadata.max.bytes': '4095' })
    const [refusal, ...others] = await refusalsOf(world, undefined)
    expect(refusal).toMatch(
      /offset\.metadata\.max\.bytes \(4095\) of broker 1 must be at least 4096/,
    )
    expect(others).toEqual([])
    await using roomy = await startRuntimeWorld({})
    expect(await refusalsOf(roomy, undefined)).toEqual([])
  })

  it('is refused where one transactional id is given twice', async () => {
    await using world = await startRuntimeWorld({})
    const [refusal] = await refusalsOf(world, 'a', 'b', 'a')
    expect(refusal).toMatch(/'a' is given to several consumers/)
  })

  it('names the producer that works with the transactional id, and takes over from one that is gone', async () => {
    await using world = await startRuntimeWorld({ prices: 1 })
    const brokers = world.kafka.bootstrap
    await using client = createClient({ brokers, log: silentLog })
    await using other = client.transactionalProducer({ transactionalId: 'shared' })
    let goesOn = true
    const write = async () => {
      while (goesOn) {
        await other.transaction((transaction) =>
          transaction.send([{ topic: 'prices', value: 'x' }]),
        )
      }
    }
    await other.transaction(async (transaction) => {
      await transaction.send([{ topic: 'prices', value: 'x' }])
      // Open, as a process leaves it that dies: nothing else begins.
      expect(await refusalsOf(world, 'shared')).toEqual([])
    })
    const writing = write()
    const [refusal] = await refusalsOf(world, 'shared')
    goesOn = false
    await writing
    const producerId = world.kafka.batches('prices')[0]?.producerId
    expect(refusal).toContain(`'shared' is used by another process now (producer id ${producerId},`)
    expect(await refusalsOf(world, 'shared')).toEqual([])
  })
})
