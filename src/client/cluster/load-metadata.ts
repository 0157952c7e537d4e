import { metadataApi } from '../../protocol/index.ts'
import type { ResponseOf } from '../../protocol/index.ts'
import { checkKafkaCode } from '../client-error.ts'
import type { Broker } from './cluster.ts'
import type { ClusterMetadata } from './metadata.ts'
import { readMetadata } from './read-metadata.ts'
import type { WantedTopics } from './topic-watches.ts'

/**
 * Asks a broker for metadata. Whether topics may be created is said for a whole request, so those to be
 * created are asked for in one of their own: a misspelt name that is only looked at creates nothing.
 */
export async function loadMetadata(
  broker: Broker,
  { topics, toCreate }: WantedTopics,
  known: ClusterMetadata,
): Promise<ClusterMetadata> {
  const created = toCreate.length === 0 ? undefined : await ask(broker, toCreate, true)
  if (created !== undefined && topics.length === 0) {
    return readMetadata(created, created.topics, known)
  }
  const answer = await ask(broker, topics, false)
  const others = answer.topics.filter(
    ({ name }) => created?.topics.every((topic) => topic.name !== name) ?? true,
  )
  return readMetadata(answer, [...(created?.topics ?? []), ...others], known)
}

async function ask(
  broker: Broker,
  topics: readonly string[] | 'all',
  allowAutoTopicCreation: boolean,
): Promise<ResponseOf<typeof metadataApi>> {
  const asked = topics === 'all' ? null : topics.map((name) => ({ name }))
  const answer = await broker.request(metadataApi, { topics: asked, allowAutoTopicCreation })
  checkKafkaCode(answer.errorCode, 'metadata')
  return answer
}
