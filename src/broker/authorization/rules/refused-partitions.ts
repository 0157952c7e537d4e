import { kafkaError } from '../../../protocol/index.ts'
import type { Refusal } from '../../refusal.ts'

interface NamedPartitions {
  readonly name: string
  readonly partitions: readonly { readonly partitionIndex: number }[]
}

/** A topic of whose partitions each is refused. */
export function refusedPartitions({ name, partitions }: NamedPartitions, { error }: Refusal) {
  return {
    name,
    partitions: partitions.map(({ partitionIndex }) => ({
      partitionIndex,
      errorCode: kafkaError[error],
    })),
  }
}
