import type { SourceHeader } from '../../driver/index.ts'

/** Where a record was first. */
export interface Origin {
  readonly topic: string
  readonly partition: number
  readonly offset: number
}

/** Where a record was first, when it has been moved since. */
export const originNames = ['original-topic', 'original-partition', 'original-offset'] as const

/** What an earlier move has written of where the record was first, if all of it is there and well formed. */
export function originIn(headers: readonly SourceHeader[]): Origin | undefined {
  const [topic, partition, offset] = originNames.map((name) => last(headers, name)?.toString())
  const isKnown =
    topic !== undefined && /^[\w.-]{1,249}$/.test(topic) && isCount(partition) && isCount(offset)
  return isKnown ? { topic, partition: Number(partition), offset: Number(offset) } : undefined
}

/** When the record was first written, as an earlier move has told; undefined where none has. */
export function timeIn(headers: readonly SourceHeader[]): number | undefined {
  const text = last(headers, 'original-timestamp')?.toString('latin1')
  return isCount(text) ? Number(text) : undefined
}

/** The number in a header; 0 where there is none, or something else. */
export function countIn(headers: readonly SourceHeader[], name: string): number {
  const text = last(headers, name)?.toString('latin1')
  return isCount(text) ? Number(text) : 0
}

export function isCount(text: string | undefined): text is string {
  return text !== undefined && /^\d{1,15}$/.test(text)
}

/** The value of the last header of this name, if it has one. */
export function last(headers: readonly SourceHeader[], name: string): Buffer | undefined {
  return headers.findLast(({ key }) => key === name)?.value ?? undefined
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

export function classOf(error: unknown): string {
  if (!(error instanceof Error)) return typeof error
  return error.name === 'Error' ? error.constructor.name : error.name
}
