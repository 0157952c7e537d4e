import { describe, expect, it } from 'vitest'
import { silentLog } from '../../observe/index.ts'
import { createNodePlatform } from '../../platform/index.ts'
import type { Platform, Timer } from '../../platform/index.ts'
import { startBroker } from '../../testing/index.ts'
import { createCluster } from '../cluster/kafka-cluster.ts'
import { resolveClientOptions } from '../resolve-options.ts'
import { Connection } from './connection.ts'

/** This machine, and how many timers have been set and neither fired nor been cancelled. */
function countTimers(): { platform: Platform; pending: Set<object> } {
  const platform = createNodePlatform()
  const pending = new Set<object>()
  const setTimer = (delayMs: number, callback: () => void): Timer => {
    const mark = {}
    pending.add(mark)
    const timer = platform.clock.setTimer(delayMs, () => {
      pending.delete(mark)
      callback()
    })
    return {
      cancel: () => {
        pending.delete(mark)
        timer.cancel()
      },
    }
  }
  return { platform: { ...platform, clock: { ...platform.clock, setTimer } }, pending }
}

function optionsFor(bootstrap: string, platform: Platform) {
  const options = resolveClientOptions({ brokers: bootstrap })
  const [address] = options.brokers
  if (address === undefined) throw new Error('the broker has no address')
  return { platform, options, log: silentLog, address, name: 'broker 1' }
}

function deferred(): { promise: Promise<undefined>; resolve: () => void } {
  let resolve: () => void = () => undefined
  const promise = new Promise<undefined>((settle) => (resolve = () => settle(undefined)))
  return { promise, resolve }
}

describe('a connection', () => {
  it('that the other side has ended leaves no timer behind', async () => {
    await using kafka = await startBroker()
    const { platform, pending } = countTimers()
    const connection = await Connection.open(optionsFor(kafka.bootstrap, platform))
    expect(pending.size).toBeGreaterThan(0)
    const closed = new Promise((resolve) => (connection.onClosed = resolve))
    kafka.dropConnections()
    await closed
    expect(pending.size).toBe(0)
  })

  it('that is being made ends when it is aborted', async () => {
    await using kafka = await startBroker()
    const abort = new AbortController()
    const reason = new Error('not wanted any more')
    const cut = deferred()
    using held = kafka.intercept('ApiVersions', () => {
      abort.abort(reason)
      return cut.promise
    })
    const { platform, pending } = countTimers()
    const options = { ...optionsFor(kafka.bootstrap, platform), signal: abort.signal }
    await expect(Connection.open(options)).rejects.toBe(reason)
    expect(pending.size).toBe(0)
    cut.resolve()
  })
})

describe('a client that is closed', () => {
  it('does not wait for a connection that is being made', async () => {
    await using kafka = await startBroker()
    const asked = deferred()
    const cut = deferred()
    using held = kafka.intercept('ApiVersions', () => {
      asked.resolve()
      return cut.promise
    })
    const { platform, pending } = countTimers()
    const { options } = optionsFor(kafka.bootstrap, platform)
    const cluster = createCluster(options, { platform, log: silentLog })
    const refreshed = cluster.refreshMetadata()
    await asked.promise
    const rejected = expect(refreshed).rejects.toMatchObject({ code: 'MILLRACE_CLIENT_CLOSED' })
    await cluster.close()
    await rejected
    expect(pending.size).toBe(0)
    cut.resolve()
  })
})
