import type { GroupOptions, TopicSelection } from '../../client/index.ts'
import type { Driver, DriverFeatures } from '../../driver/index.ts'
import { OptionError } from '../../errors.ts'
import { shown } from '../../option-checks.ts'
import type { Findings } from './findings.ts'

type Feature = keyof DriverFeatures

/** What is lost without each promise that a service can do without. */
const losses = {
  commitMetadata:
    'after a restart attempts are counted anew, records that ended above the frontier run again, and a record that kills the process is not found',
  awaitedRevocation: 'records run again when their partition moves while handlers run',
  fencedCommits: 'a late commit may set a partition back for a moment: records may run again',
  toldOffsetLoss:
    'a crash just when offsets have gone may let the group begin anew, at `start`, without being told',
  logIdentity:
    'records of a topic that was made anew, or lost its end, may be taken for those that were read before',
  exactReadCommitted: 'records of aborted transactions may be handled',
  idempotentWrites: 'what is published, and dead letters, may be there twice or out of order',
  exactHeaders:
    'headers of dead letters may have another order, and a record with a null header cannot become one',
} as const satisfies Partial<Record<Feature, string>>

/** A promise of the runtime that a service can do without. */
export type DriverPromise = keyof typeof losses

const promises = Object.keys(losses) as DriverPromise[]

/** What a consumer asks for, as far as a driver may not have it. */
export interface AskedOfDriver {
  readonly topics: TopicSelection
  readonly source: GroupOptions
  readonly exactlyOnce?: object | undefined
}

/** Checks what a service says it does without. */
export function resolveDoWithout(given: unknown, option: string): ReadonlySet<DriverPromise> {
  if (given === undefined) return new Set()
  if (!Array.isArray(given)) {
    throw new OptionError(option, `(${shown(given)}) must be a list of promises`)
  }
  return new Set(
    given.map((each: unknown, index) => {
      const promise = promises.find((known) => known === each)
      if (promise !== undefined) return promise
      const allowed = promises.join(', ')
      throw new OptionError(`${option}[${index}]`, `(${shown(each)}) must be one of ${allowed}`)
    }),
  )
}

/** Refuses a driver for what it cannot promise, by name; what a service said it does without is logged. */
export function checkDriver(
  { name, features }: Pick<Driver, 'name' | 'features'>,
  doWithout: ReadonlySet<DriverPromise>,
  findings: Findings,
): void {
  if (features.partitionPause !== true) {
    findings.refuse(
      `the driver ${name} cannot pause single partitions (partitionPause), which nothing replaces: ${features.partitionPause}; use another`,
    )
  }
  for (const promise of promises) {
    const reason = features[promise]
    if (reason === true) continue
    const lack = `the driver ${name} does not promise ${promise}: ${losses[promise]} (${reason})`
    if (doWithout.has(promise)) findings.warn(lack)
    else findings.refuse(`${lack}; use another, or accept it with doWithout: ['${promise}']`)
  }
}

/** Refuses what a consumer asks for by its options and the driver has not, by name. */
export function checkAsked(
  driver: Pick<Driver, 'name' | 'features'>,
  groupId: string,
  { topics, source, exactlyOnce }: AskedOfDriver,
  findings: Findings,
): void {
  const { groupInstanceId, groupProtocol, remoteAssignor, assignors } = source
  const isPattern = typeof topics !== 'string' && !Array.isArray(topics)
  const asked: readonly (readonly [what: string, feature: Feature, isAsked: boolean])[] = [
    ['topics by a pattern', 'topicPatterns', isPattern],
    ['group.groupInstanceId', 'staticMembership', groupInstanceId !== undefined],
    ["group.groupProtocol: 'consumer'", 'consumerProtocol', groupProtocol === 'consumer'],
    ['group.remoteAssignor', 'consumerProtocol', remoteAssignor !== undefined],
    ['group.assignors', 'assignors', assignors !== undefined],
    ['exactlyOnce', 'transactions', exactlyOnce !== undefined],
  ]
  for (const [what, feature, isAsked] of asked) {
    if (isAsked) refuseWithout(driver, feature, `${what} (group ${groupId})`, findings)
  }
}

/** Refuses what cannot be had without a feature, with the driver's own reason. */
export function refuseWithout(
  { name, features }: Pick<Driver, 'name' | 'features'>,
  feature: Feature,
  what: string,
  findings: Findings,
): void {
  const reason = features[feature]
  if (reason === true) return
  findings.refuse(`${what} is not possible with the ${name} driver: ${reason}`)
}
