import { OptionError } from '../../errors.ts'
import { shown, text, wholeNumber } from '../../option-checks.ts'
import type { GivenOptions, Range } from '../../option-checks.ts'
import type { Assignor } from './group/assignors/assignor.ts'
import { rangeAssignor } from './group/assignors/range.ts'
import { roundRobinAssignor } from './group/assignors/round-robin.ts'
import { cooperativeStickyAssignor, stickyAssignor } from './group/assignors/sticky.ts'
import { groupMemberDefaults } from './group/group-member-options.ts'
import type { GroupMemberOptions, GroupProtocol } from './group/group-member-options.ts'

/** Those that Java's clients have too, by their names. */
export type AssignorName = 'range' | 'roundrobin' | 'sticky' | 'cooperative-sticky'

/** How a consumer is a member of its group. */
export interface GroupOptions {
  /** The name of a static member, which keeps its partitions over a restart. */
  readonly groupInstanceId?: string
  /** Which of Kafka's two protocols for groups; `'auto'` takes the newer one where the broker has it. @defaultValue 'auto' */
  readonly groupProtocol?: GroupProtocol
  /**
   * Who shares partitions out in the classic protocol: what all members must know, the preferred one first.
   * @defaultValue ['cooperative-sticky']
   */
  readonly assignors?: readonly (AssignorName | Assignor)[]
  /** Who shares them out at the broker, in the consumer protocol. @defaultValue the broker's choice */
  readonly remoteAssignor?: string
  /**
   * Without a sign of life for so long a member has lost what it holds. Only in the classic protocol: in the consumer protocol brokers
   * decide (`group.consumer.session.timeout.ms`).
   * @defaultValue 45000
   */
  readonly sessionTimeoutMs?: number
  /** How often a sign of life is given; in the consumer protocol brokers decide that, too. @defaultValue 3000 */
  readonly heartbeatIntervalMs?: number
  /** How long the group waits for a member that has to give partitions up. @defaultValue 60000 */
  readonly rebalanceTimeoutMs?: number
  /** A member whose application asks for nothing for so long leaves. @defaultValue 300000 */
  readonly processingTimeoutMs?: number
  /** How often topics are looked for that a pattern matches (classic protocol). @defaultValue 30000 */
  readonly patternRefreshMs?: number
}

const assignors: Readonly<Record<AssignorName, Assignor>> = {
  range: rangeAssignor,
  roundrobin: roundRobinAssignor,
  sticky: stickyAssignor,
  'cooperative-sticky': cooperativeStickyAssignor,
}

const classicTimes = ['sessionTimeoutMs', 'heartbeatIntervalMs'] as const

const time: Range = { min: 1, max: 2 ** 31 - 1 }

/** The names of the options that `resolveGroupOptions` knows. */
export const groupOptionNames = [
  'groupInstanceId',
  'groupProtocol',
  'assignors',
  'remoteAssignor',
  'sessionTimeoutMs',
  'heartbeatIntervalMs',
  'rebalanceTimeoutMs',
  'processingTimeoutMs',
  'patternRefreshMs',
]

/** Checks the options and puts the defaults in place; throws an `OptionError`. */
export function resolveGroupOptions(
  given: GivenOptions,
  groupId: string,
  rack: string | undefined,
): GroupMemberOptions {
  const defaults = groupMemberDefaults
  const sessionTimeoutMs = wholeNumber(given, 'sessionTimeoutMs', defaults.sessionTimeoutMs, time)
  const heartbeatIntervalMs = wholeNumber(
    given,
    'heartbeatIntervalMs',
    defaults.heartbeatIntervalMs,
    {
      min: 1,
      max: sessionTimeoutMs - 1,
    },
  )
  return {
    groupId,
    groupInstanceId: text(given, 'groupInstanceId'),
    groupProtocol: groupProtocolOf(given['groupProtocol'] ?? defaults.groupProtocol),
    assignors: assignorsOf(given['assignors']),
    remoteAssignor: text(given, 'remoteAssignor'),
    sessionTimeoutMs,
    heartbeatIntervalMs,
    classicTimesGiven: classicTimes.filter((name) => given[name] !== undefined),
    rebalanceTimeoutMs: wholeNumber(given, 'rebalanceTimeoutMs', defaults.rebalanceTimeoutMs, time),
    processingTimeoutMs: wholeNumber(
      given,
      'processingTimeoutMs',
      defaults.processingTimeoutMs,
      time,
    ),
    patternRefreshMs: wholeNumber(given, 'patternRefreshMs', defaults.patternRefreshMs, time),
    rack,
  }
}

function groupProtocolOf(value: unknown): GroupProtocol {
  if (value === 'auto' || value === 'classic' || value === 'consumer') return value
  throw new OptionError(
    'groupProtocol',
    `(${shown(value)}) must be 'auto', 'classic' or 'consumer'`,
  )
}

function assignorsOf(value: unknown): readonly Assignor[] {
  if (value === undefined) return groupMemberDefaults.assignors
  if (!Array.isArray(value) || value.length === 0) {
    throw new OptionError('assignors', `(${shown(value)}) must be a list of one or more`)
  }
  return value.map((each: unknown, index) => {
    if (typeof each === 'string' && Object.hasOwn(assignors, each)) {
      return assignors[each as AssignorName]
    }
    if (typeof each === 'object' && each !== null && 'name' in each && 'assign' in each) {
      return each as Assignor
    }
    const known = Object.keys(assignors).join(', ')
    throw new OptionError(
      `assignors.${index}`,
      `(${shown(each)}) must be an assignor or one of ${known}`,
    )
  })
}
