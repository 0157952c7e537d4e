import { createNativeDriver } from '../../../src/driver/index.ts'
import { createHealth, createMetrics } from '../../../src/observe/index.ts'
import type { Log } from '../../../src/observe/index.ts'
import type { Platform } from '../../../src/platform/index.ts'
import type { StateStores } from '../../../src/store/index.ts'
import { createStream } from '../../../src/stream/index.ts'
import type { Stream } from '../../../src/stream/index.ts'
import type { RunningPart, ServicePartWorld } from '../../../src/runtime/index.ts'
import { watchPlatform } from '../clients/watched-platform.ts'
import type { StreamShape } from './shape.ts'
import { serviceName, shopFlow } from './shop-flow.ts'

export interface StreamWorkerOptions {
  readonly platform: Platform
  readonly shape: StreamShape
  /** A name of its own for each life of the process. */
  readonly life: string
  /** Of the process, whichever life it is in. */
  readonly name: string
  readonly brokers: string
  readonly stores: (platform: Platform) => StateStores
  /** Whether the process is told to end. */
  readonly isToldToEnd: () => boolean
  readonly tell: (who: string, what: () => string) => void
}

const lookEveryMs = 25
const drainMs = 800
const sessionTimeoutMs = 1_500

/** Runs the flow of the shop as a service does, until it is told to end or can do no more; then it holds nothing. */
export async function runStreamWorker(options: StreamWorkerOptions): Promise<void> {
  const { platform, life, name, brokers, tell, isToldToEnd, shape, stores } = options
  const watched = watchPlatform(platform)
  const log: Log = (level, message, fields) => {
    tell(life, () => `${level}: ${message} ${JSON.stringify(fields ?? {})}`)
  }
  const driver = createNativeDriver({
    ...{ brokers, platform: watched.platform, clientId: life, log },
    ...{ allowPlaintext: true, requestTimeoutMs: 800, connectTimeoutMs: 800 },
  })
  const stream = createStream(shopFlow(shape.shop).flow, {
    stores: stores(watched.platform),
    exactlyOnce: { transactionTimeoutMs: 2_000 },
    commit: { intervalMs: shape.commitIntervalMs },
    drainMs,
    group: {
      ...{ sessionTimeoutMs, heartbeatIntervalMs: 150, rebalanceTimeoutMs: 2_000 },
      ...(shape.isStatic && { groupInstanceId: name }),
    },
  })
  stream.plan(serviceName)
  const failures: Error[] = []
  const starting = new AbortController()
  const world: ServicePartWorld = {
    ...{ serviceName, driver, log, platform: watched.platform, processId: life },
    ...{
      metrics: createMetrics(),
      health: createHealth({ clock: watched.platform.clock }),
      signal: starting.signal,
    },
    facts: { letterPartitions: new Map(), letterBytesMax: 1_200_000 },
    failed: (error) => failures.push(error),
  }
  const run = await startedWithin(stream, world, isToldToEnd)
  if (run !== undefined) {
    const reading = run.run().catch((error: unknown) => failures.push(error as Error))
    while (!isToldToEnd() && failures.length === 0) await platform.clock.sleep(lookEveryMs)
    tell(life, () => 'closes')
    const isClean = await run.close({ drainMs, leave: true })
    await reading
    tell(life, () => `has closed, ${isClean ? 'and all is' : 'not all'} committed`)
  }
  await driver.close()
  for (const failure of failures) throw failure
  const held = watched.held()
  if (held.length > 0) {
    throw new Error(`${life} has stopped, and still holds ${held.join(', ')}`)
  }
}

/** A cluster that is away for a moment refuses the start: whoever supervises processes starts it again. */
async function startedWithin(
  stream: Stream,
  world: ServicePartWorld,
  isToldToEnd: () => boolean,
): Promise<RunningPart | undefined> {
  for (;;) {
    try {
      return await stream.start(world)
    } catch (error) {
      world.log('warn', 'it cannot start yet', { error: (error as Error).message })
      if (isToldToEnd()) return undefined
      await world.platform.clock.sleep(lookEveryMs)
    }
  }
}
