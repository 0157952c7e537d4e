import type { Range } from './seeded-random.ts'

/** How the simulated network behaves. All of it is legal for TCP, on a bad day. */
export interface NetworkConditions {
  /** One way, drawn for each segment. */
  readonly latencyMs: Range
  /** How many of the segments take longer, and by how much. */
  readonly slowProbability: number
  readonly slowMs: Range
  /** How often a piece of what is written or read is cut at a random byte. */
  readonly splitProbability: number
  /** How often a segment is joined to the one before it. */
  readonly mergeProbability: number
  /** How often sending a segment breaks its connection, for both sides. */
  readonly resetProbability: number
  /** How often sending a segment takes the other side away without telling this one. */
  readonly vanishProbability: number
  /** How much one direction holds: in flight, and arrived but not read. */
  readonly bufferBytes: number
  readonly bytesPerMs: number
  /** Connections that wait to be accepted; above that many nobody answers. */
  readonly backlog: number
  /** How long the system goes on sending what nobody acknowledges. Linux: a quarter of an hour. */
  readonly retransmissionTimeoutMs: number
}

/** A network without faults that still splits, merges and delays. */
export const calmNetwork: NetworkConditions = {
  latencyMs: { min: 0.2, max: 2 },
  slowProbability: 0.005,
  slowMs: { min: 10, max: 200 },
  splitProbability: 0.1,
  mergeProbability: 0.1,
  resetProbability: 0,
  vanishProbability: 0,
  bufferBytes: 128 * 1024,
  bytesPerMs: Infinity,
  backlog: 128,
  retransmissionTimeoutMs: 15 * 60 * 1000,
}

/** Within a host. */
export const loopbackLatencyMs: Range = { min: 0.01, max: 0.05 }
