/** What the system and the engine say about this process, since it began. */
export interface ProcessUsage {
  readonly userCpuSeconds: number
  readonly systemCpuSeconds: number
  /** When it began, in milliseconds since the epoch. */
  readonly startedAtMs: number
  /** Memory of the whole process as the system sees it. */
  readonly residentBytes: number
  readonly heapBytes: number
  readonly heapUsedBytes: number
  /** Buffers, and what else JavaScript holds outside the heap. */
  readonly externalBytes: number
}

/** What this process has used. */
export function readProcessUsage(): ProcessUsage {
  const { user, system } = process.cpuUsage()
  const { rss, heapTotal, heapUsed, external } = process.memoryUsage()
  return {
    userCpuSeconds: user / 1e6,
    systemCpuSeconds: system / 1e6,
    startedAtMs: performance.timeOrigin,
    residentBytes: rss,
    heapBytes: heapTotal,
    heapUsedBytes: heapUsed,
    externalBytes: external,
  }
}
