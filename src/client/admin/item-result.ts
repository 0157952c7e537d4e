import type { MillraceError } from '../../errors.ts'
import type { TopicPartition } from '../topic-partition.ts'

/**
 * What became of one of many items: its answer, or why there is none. Looking at `error` tells which.
 * A `KafkaError` is a broker's refusal; a `ConnectionError` says with `wasSent` whether it may have acted.
 */
export type ItemResult<Answer extends object = object> =
  (Answer & { readonly error?: undefined }) | { readonly error: MillraceError }

/** What became of a partition. */
export type PartitionResult<Answer extends object = object> = TopicPartition & ItemResult<Answer>

/** How something came about that a broker was asked to do. */
export interface Done {
  /**
   * True when the answer to an earlier request was lost, and the state of the cluster shows what was
   * asked for. It is most likely our doing, but may be somebody else's.
   */
  readonly answerWasLost: boolean
}

/** The answer, or its error thrown. */
export function answerOf<Answer extends object>(
  result: ItemResult<Answer> | undefined,
): Answer & { readonly error?: undefined } {
  // Every item that was asked about has a result.
  if (result === undefined) throw new Error('an item has no result')
  if (result.error !== undefined) throw result.error
  return result
}

/** The only answer, or its error thrown. */
export function onlyAnswer<Answer extends object>(
  results: ReadonlyMap<string, ItemResult<Answer>> | readonly ItemResult<Answer>[],
): Answer & { readonly error?: undefined } {
  const [result] = results.values()
  return answerOf(result)
}
