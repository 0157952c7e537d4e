import { OptionError } from '../../errors.ts'
import type { TopicPartition } from '../topic-partition.ts'
import { shown } from '../../option-checks.ts'
import { byTopic, partitionKey } from '../topic-partition.ts'
import type { PartitionResult, ItemResult } from './item-result.ts'

/** Items by their key. One that is named twice is refused: which of the two is meant cannot be told. */
export function byKey<Item>(
  option: string,
  items: readonly Item[],
  keyOf: (item: Item) => string,
): Map<string, Item> {
  const given: unknown = items
  if (!Array.isArray(given)) throw new OptionError(option, `(${shown(given)}) must be a list`)
  const map = new Map<string, Item>()
  for (const item of items) {
    const key = keyOf(item)
    if (map.has(key)) throw new OptionError(option, `has '${key}' twice; each must be named once`)
    map.set(key, item)
  }
  return map
}

/** Partitions by their key; their topics and numbers are checked. */
export function byPartition<Item extends TopicPartition>(
  option: string,
  partitions: readonly Item[],
): Map<string, Item> {
  return byKey(option, partitions, (each) => {
    nameOf(`${option}.topic`, each.topic)
    if (!Number.isSafeInteger(each.partition) || each.partition < 0) {
      const problem = `(${shown(each.partition)}) must be a whole number from 0 up`
      throw new OptionError(`${option}.partition`, problem)
    }
    return partitionKey(each)
  })
}

/** A name that is not empty. */
export function nameOf(option: string, name: unknown): string {
  if (typeof name === 'string' && name !== '') return name
  throw new OptionError(option, `(${shown(name)}) must be a text that is not empty`)
}

/** What was found out about partitions, in the order in which they were named. */
export function partitionResults<Answer extends object>(
  partitions: ReadonlyMap<string, TopicPartition>,
  results: ReadonlyMap<string, ItemResult<Answer>>,
): PartitionResult<Answer>[] {
  return [...partitions].flatMap(([key, { topic, partition }]) => {
    const result = results.get(key)
    return result === undefined ? [] : [{ topic, partition, ...result }]
  })
}

/** Partitions as requests name them: the numbers of each topic. */
export function topicsOf(partitions: readonly TopicPartition[]) {
  return [...byTopic(partitions)].map(([name, some]) => ({
    name,
    partitionIndexes: some.map(({ partition }) => partition),
  }))
}
