import type { ClusterDescription, TransactionDescription } from '../../client/index.ts'
import type { DriverAdmin } from '../../driver/index.ts'
import type { Clock } from '../../platform/index.ts'
import type { ConsumerSettings } from '../assemble.ts'
import { metadataCharactersMax } from '../ledger/commit-metadata.ts'
import type { Findings } from './findings.ts'

export interface ExactlyOnceCheck {
  readonly admin: Pick<DriverAdmin, 'configs' | 'transactions'>
  readonly clock: Clock
  readonly cluster: ClusterDescription
  readonly consumers: readonly Pick<ConsumerSettings, 'groupId' | 'exactlyOnce'>[]
  readonly findings: Findings
  readonly signal: AbortSignal
}

/** A start does not wait for long for what only may be in its way. */
const askMsMax = 5_000
const limitName = 'offset.metadata.max.bytes'

/** For so long it is looked whether somebody works with a transactional id. */
const looks = 5
const lookEveryMs = 200

/** Refuses what would make each commit of a consumer under exactly-once fail, or end another process. */
export async function checkExactlyOnce(check: ExactlyOnceCheck): Promise<void> {
  if (check.consumers.every(({ exactlyOnce }) => exactlyOnce === undefined)) return
  await Promise.all([checkMetadataLimit(check), checkTransactionalIds(check)])
}

/**
 * What stands beside an offset says what has ended above it: without it that would be written twice. Any broker may be the
 * group's coordinator. Where it may not be asked for, the first commit that is too large says so.
 */
async function checkMetadataLimit(check: ExactlyOnceCheck): Promise<void> {
  const { admin, cluster, findings, signal } = check
  const brokers = cluster.brokers.map(({ nodeId }) => ({
    type: 'broker' as const,
    name: String(nodeId),
  }))
  const answers = await admin.configs
    .describeMany(brokers, { timeoutMs: askMsMax, signal })
    .catch(() => {
      signal.throwIfAborted()
      return []
    })
  for (const answer of answers) {
    if (answer.error !== undefined) continue
    const limit = Number(answer.entries.get(limitName)?.value ?? metadataCharactersMax)
    if (limit >= metadataCharactersMax) continue
    findings.refuse(
      `exactlyOnce needs room beside offsets: ${limitName} (${limit}) of broker ${answer.name} must be at least ` +
        `${metadataCharactersMax}; raise it at every broker`,
    )
  }
}

/** A process takes the id from another that has it: each would end the other's transactions for ever. */
async function checkTransactionalIds(check: ExactlyOnceCheck): Promise<void> {
  const { consumers, findings } = check
  const given = consumers.flatMap(({ exactlyOnce }) => exactlyOnce?.transactionalId ?? [])
  for (const id of given) {
    if (given.indexOf(id) === given.lastIndexOf(id)) continue
    findings.refuse(
      `exactlyOnce.transactionalId '${id}' is given to several consumers: each needs its own; leave it out`,
    )
  }
  await Promise.all([...new Set(given)].map((id) => checkIsFree(id, check)))
}

/**
 * An open transaction may be what a process left that has died: it is ended when its successor begins. But one that begins
 * while we look is of somebody who works.
 */
async function checkIsFree(id: string, check: ExactlyOnceCheck): Promise<void> {
  const { clock, findings, signal } = check
  const first = await describe(id, check)
  if (first === undefined || first.state === 'Empty' || first.state === 'Dead') return
  for (let look = 0; look < looks; look++) {
    await clock.sleep(lookEveryMs, signal)
    const now = await describe(id, check)
    if (now?.state !== 'Ongoing' || !isAnother(now, first)) continue
    const holder = `producer id ${now.producerId}, epoch ${now.producerEpoch}`
    findings.refuse(
      `exactlyOnce.transactionalId '${id}' is used by another process now (${holder}, which has begun a transaction at ` +
        `${new Date(now.startedAtMs ?? 0).toISOString()}): give each process its own, or leave it out`,
    )
    return
  }
}

function isAnother(now: TransactionDescription, first: TransactionDescription): boolean {
  return first.state !== 'Ongoing' || now.startedAtMs !== first.startedAtMs
}

async function describe(
  id: string,
  { admin, signal }: ExactlyOnceCheck,
): Promise<TransactionDescription | undefined> {
  const found = await admin.transactions
    ?.describeMany([id], { timeoutMs: askMsMax, signal })
    .catch(() => {
      signal.throwIfAborted()
      return undefined
    })
  const answer = found?.get(id)
  return answer === undefined || answer.error !== undefined ? undefined : answer
}
