import type { TopicContract } from '../../contract/index.ts'
import type { Driver } from '../../driver/index.ts'
import type { Log } from '../../observe/index.ts'
import type { Clock } from '../../platform/index.ts'
import { checkTopics } from './check-topics.ts'
import type { PlannedConsumer, TopicFacts } from './check-topics.ts'
import { checkDrain } from './dangers.ts'
import { checkAsked, checkDriver } from './driver-promises.ts'
import type { DriverPromise } from './driver-promises.ts'
import { checkExactlyOnce } from './exactly-once.ts'
import { Findings } from './findings.ts'
import { isDevelopment } from './topic-policy.ts'
import type { ResolvedTopicPolicy } from './topic-policy.ts'
import { TopicSurveyor } from './topic-survey.ts'
import { waitForCluster } from './wait-for-cluster.ts'

export interface StartParts {
  readonly driver: Driver
  readonly clock: Clock
  readonly log: Log
  readonly connectTimeoutMs: number
  /** How long the last commit of a partition may take. */
  readonly requestTimeoutMs: number
  readonly policy: ResolvedTopicPolicy
  readonly doWithout: ReadonlySet<DriverPromise>
  readonly consumers: readonly PlannedConsumer[]
  readonly written: readonly TopicContract[]
  /** Aborts when the service is stopped meanwhile. */
  readonly signal: AbortSignal
}

/**
 * What is made sure of before anything is read: first what can be known without a cluster, then that there is one, then
 * its topics. All that is in the way is told in one error.
 */
export async function checkStart(parts: StartParts): Promise<TopicFacts> {
  const { driver, clock, log, policy, consumers, written, signal } = parts
  const findings = new Findings(log)
  checkDriver(driver, parts.doWithout, findings)
  for (const { settings } of consumers) {
    checkAsked(driver, settings.groupId, settings, findings)
    checkDrain(settings, parts.requestTimeoutMs, findings)
  }
  findings.throwIfRefused()
  const admin = driver.admin()
  const { connectTimeoutMs } = parts
  const cluster = await waitForCluster({ admin, clock, log, connectTimeoutMs, signal })
  await checkExactlyOnce({
    ...{ admin, clock, cluster, findings, signal },
    consumers: consumers.map(({ settings }) => settings),
  })
  const facts = await checkTopics({
    surveyor: new TopicSurveyor({ admin, clock, log, findings, signal }),
    findings,
    policy,
    isDevelopment: isDevelopment(cluster),
    consumers,
    written,
  })
  findings.throwIfRefused()
  return facts
}
