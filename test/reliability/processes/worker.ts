/**
 * A process that is killed: one service with handlers of random latency that fail now and then. What it does it writes
 * into its journal; `SETTINGS` says how it works.
 */
import { createNativeDriver } from '../../../src/driver/index.ts'
import type { Driver, SourceOptions } from '../../../src/driver/index.ts'
import { FailureDecision } from '../../../src/runtime/index.ts'
import type { RecordHandler } from '../../../src/runtime/index.ts'
import { createService } from '../../../src/transaction/index.ts'
import { JournalWriter } from './journal.ts'
import type { Happening } from './journal.ts'
import { attemptsMax, failsOneIn, kindOf, longestMs } from './records.ts'
import type { WorkerSettings } from './worker-slot.ts'

const settings = JSON.parse(process.env['SETTINGS'] ?? '') as WorkerSettings
const journal = new JournalWriter(settings.journal)
const log = (level: string, message: string, fields?: object): void => {
  process.stderr.write(`${level} ${message} ${JSON.stringify(fields ?? {})}\n`)
}

/** A driver that tells what the group says. */
function watched(driver: Driver): Driver {
  const source = driver.source.bind(driver)
  return Object.assign(driver, {
    source: (options: SourceOptions) => {
      const tell = (what: Happening, told: SourceOptions['onAssigned']) => {
        return (partitions: Parameters<NonNullable<typeof told>>[0]) => {
          for (const { topic, partition } of partitions) {
            if (topic === settings.topic) journal.write({ what, partition })
          }
          return told?.(partitions)
        }
      }
      return source({
        ...options,
        onAssigned: tell('assigned', options.onAssigned),
        onLost: tell('lost', options.onLost),
      })
    },
  })
}

const handler: RecordHandler = async (
  { key, value },
  { partition, offset, attempt, sendRecord },
) => {
  const told = { partition, offset, attempt, key: key?.toString() ?? '' }
  const kind = kindOf(value?.toString() ?? '')
  journal.write({ what: 'start', ...told })
  await new Promise((resolve) => setTimeout(resolve, Math.random() * longestMs))
  if (kind === 'bad' || kind === 'refused' || Math.random() * failsOneIn < 1) {
    journal.write({ what: 'failed', ...told })
    if (kind === 'refused') throw new FailureDecision('deadLetter', 'it will never work')
    throw new Error('it did not work')
  }
  const copy = { topic: settings.target, partition, key, value }
  try {
    if (settings.exactlyOnce) await sendRecord(copy)
  } catch (error) {
    // The partition was taken away meanwhile, and its signal has aborted.
    journal.write({ what: 'left', ...told })
    throw error
  }
  journal.write({ what: 'done', ...told })
}

const { brokers, groupInstanceId, groupProtocol } = settings
const service = createService({
  name: settings.group,
  kafka: watched(createNativeDriver({ brokers, log, requestTimeoutMs: 1_500 })),
  metrics: false,
  log,
})
service.records(settings.topic, handler, {
  start: 'earliest',
  concurrency: 32,
  // What is run again has to be seen.
  dedupe: false,
  exactlyOnce: settings.exactlyOnce && { transactionTimeoutMs: 2_500 },
  retry: { attempts: attemptsMax, delayMs: 10, delayMsMax: 100 },
  commit: { intervalMs: 100 },
  drainMs: 1_000,
  group: {
    ...(groupProtocol === 'classic' && {
      sessionTimeoutMs: settings.sessionTimeoutMs,
      heartbeatIntervalMs: Math.round(settings.sessionTimeoutMs / 6),
    }),
    groupProtocol,
    ...(groupInstanceId !== undefined && { groupInstanceId }),
  },
})
await service.run()
