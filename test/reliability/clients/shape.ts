/** What a world of clients is made of, which follows from its seed. */
export interface WorldShape {
  readonly nodes: 1 | 3
  readonly load: Load
  readonly transactionVersion: 1 | 2
}

export type Load =
  | 'producers'
  | 'eager group'
  | 'cooperative group'
  | 'consumer group'
  | 'transactions'
  | 'classic transformers'
  | 'consumer transformers'

const loads: readonly Load[] = [
  'producers',
  'eager group',
  'transactions',
  'consumer group',
  'classic transformers',
  'cooperative group',
  'consumer transformers',
]

/** How many seeds in a row meet every shape. */
export const shapeCount = loads.length * 4

/** Each load on one node and on three, with the transactions of both versions, as seeds go on. */
export function shapeOf(seed: number): WorldShape {
  const round = Math.floor(seed / loads.length)
  return {
    load: loads[seed % loads.length] as Load,
    nodes: round % 2 === 0 ? 1 : 3,
    transactionVersion: Math.floor(round / 2) % 2 === 0 ? 1 : 2,
  }
}
