import { refuse } from '../../refusal.ts'
import type { Refusal } from '../../refusal.ts'
import type { Change, GroupPartition } from '../group-partition.ts'
import type { GroupRecord } from '../group-record.ts'
import type { Requester } from '../ports.ts'
import { Pattern } from '../regex/pattern.ts'
import { PatternError } from '../regex/syntax.ts'
import type { ConsumerGroup, ResolvedPattern } from './consumer-group.ts'
import { patternOf } from './consumer-member.ts'
import type { ConsumerMember } from './consumer-member.ts'
import { groupEpochRecord, patternRecord } from './consumer-records.ts'
import type { Draft } from './draft.ts'
import { metadataHash } from './metadata-hash.ts'

/** Patterns are tried again at most this often, however many members and topics come. */
const refreshIntervalMsMin = 10_000

/**
 * Notes the pattern that a member subscribes with. Whether it makes a new epoch of the group
 * necessary is the answer: it does when the pattern has been resolved for others, and when the
 * member goes on without any. A pattern that has not been resolved is, right after this change,
 * with all the others of the group, so that they make one rebalance together.
 */
export function notePattern(
  draft: Draft,
  before: ConsumerMember,
  member: ConsumerMember,
  requester: Requester,
): boolean | Refusal {
  const { group } = draft
  const old = patternOf(before)
  const pattern = patternOf(member)
  let mustAdvance = false
  let isNew = false
  if (old !== pattern) {
    if (old !== undefined && group.patternUsers.get(old) === 1) {
      draft.records.push(patternRecord(group.groupId, old, null))
    }
    if (pattern === undefined) return true
    isNew = !group.patternUsers.has(pattern)
    const problem = isNew ? problemWith(pattern) : undefined
    if (problem !== undefined) return problem
    mustAdvance = !isNew && group.patterns.has(pattern)
  }
  if (isNew || group.patternUsers.size > 0) refreshIfDue(draft, before, member, requester, isNew)
  return mustAdvance
}

function problemWith(pattern: string): Refusal | undefined {
  try {
    new Pattern(pattern)
    return undefined
  } catch (error) {
    if (!(error instanceof PatternError)) throw error
    return refuse(
      'INVALID_REGULAR_EXPRESSION',
      `SubscribedTopicRegex \`${pattern}\` is not a valid regular expression: ${error.message}.`,
    )
  }
}

function refreshIfDue(
  draft: Draft,
  before: ConsumerMember,
  member: ConsumerMember,
  requester: Requester,
  isNew: boolean,
): void {
  const { partition, group } = draft
  const nowMs = partition.ports.clock.now()
  const [last] = group.patterns.values()
  const lastMs = last?.atMs ?? -Infinity
  if (group.patternsAreDue || nowMs <= lastMs + refreshIntervalMsMin) return
  const users = patternUsers(group, before, member)
  const isDue =
    isNew ||
    users.size !== group.patterns.size ||
    (last?.version ?? 0) < partition.topicsVersion.current ||
    nowMs > lastMs + partition.ports.config().regexRefreshIntervalMs
  if (!isDue || users.size === 0) return
  draft.afterwards.push(() => {
    const current = partition.state.group(group.groupId)
    if (current?.type === 'consumer') current.patternsAreDue = true
    void partition.change(group.groupId, () => refreshPatterns(partition, group.groupId, requester))
  })
}

/** How many members subscribe with a pattern, once `member` is in the place of `before`. */
function patternUsers(
  group: ConsumerGroup,
  before: ConsumerMember,
  member: ConsumerMember,
): ReadonlyMap<string, number> {
  const users = new Map(group.patternUsers)
  const count = (pattern: string | undefined, change: 1 | -1) => {
    if (pattern === undefined) return
    const counted = (users.get(pattern) ?? 0) + change
    if (counted > 0) users.set(pattern, counted)
    else users.delete(pattern)
  }
  count(patternOf(before), -1)
  count(patternOf(member), 1)
  return users
}

/**
 * Tries all patterns of a group on all topics, or on those that the member may describe whose request
 * has caused it. The next heartbeats bring the new assignment.
 */
function refreshPatterns(
  partition: GroupPartition,
  groupId: string,
  { mayDescribe = () => true }: Requester,
): Change<undefined> {
  const group = partition.state.group(groupId)
  if (group?.type !== 'consumer') return { answer: undefined }
  group.patternsAreDue = false
  const { clock, topics } = partition.ports
  const version = partition.topicsVersion.current
  const atMs = clock.now()
  const records: GroupRecord[] = []
  const subscribed = namedTopics(group)
  const names = [...topics.names()].filter(mayDescribe)
  let changed = false
  for (const pattern of group.patternUsers.keys()) {
    const matched = matchingTopics(pattern, names)
    const resolved: ResolvedPattern = { topics: matched, version, atMs }
    changed ||= !sameTopics(group.patterns.get(pattern)?.topics, matched)
    for (const name of matched) subscribed.add(name)
    records.push(patternRecord(groupId, pattern, resolved))
  }
  const hash = metadataHash(topics, subscribed)
  if (changed || hash !== group.metadataHash) {
    records.push(groupEpochRecord(groupId, group.epoch + 1, hash))
  }
  return { answer: undefined, records }
}

function namedTopics(group: ConsumerGroup): Set<string> {
  return new Set([...group.members.values()].flatMap(({ topicNames }) => topicNames))
}

/** A stored pattern was valid once; one of a Kafka with other syntax matches nothing. */
function matchingTopics(pattern: string, names: Iterable<string>): ReadonlySet<string> {
  if (problemWith(pattern) !== undefined) return new Set()
  const compiled = new Pattern(pattern)
  return new Set([...names].filter((name) => compiled.matches(name)))
}

function sameTopics(a: ReadonlySet<string> | undefined, b: ReadonlySet<string>): boolean {
  if (a?.size !== b.size) return (a?.size ?? 0) === b.size
  return [...b].every((name) => a.has(name))
}
