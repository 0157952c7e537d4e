/** What came of a task. */
export interface Measurement {
  /** Records (or transactions) a second. */
  readonly rate: number
  readonly cpuSecondsPerMillion: number
  readonly peakMb: number
  readonly p50Ms?: number
  readonly p99Ms?: number
}

/** What a subject needs to count and to time; it starts the clock when its connections stand. */
export interface Stopwatch {
  /** The work begins now: everything before was setting up. */
  start(): void
  /** It is done: every record is acknowledged, or has come. */
  stop(count: number): void
  /** One awaited call took so long. */
  latency(ms: number): void
}

/** Times this process. */
export class ProcessStopwatch implements Stopwatch {
  readonly #latencies: number[] = []
  #startedMs = 0
  #cpu = process.cpuUsage()
  measurement: Measurement | undefined

  start(): void {
    this.#cpu = process.cpuUsage()
    this.#startedMs = performance.now()
  }

  stop(count: number): void {
    const seconds = (performance.now() - this.#startedMs) / 1000
    const { user, system } = process.cpuUsage(this.#cpu)
    const sorted = this.#latencies.sort((a, b) => a - b)
    const at = (share: number) => sorted[Math.floor(sorted.length * share)] ?? Number.NaN
    this.measurement = {
      rate: count / seconds,
      cpuSecondsPerMillion: (user + system) / count,
      peakMb: process.resourceUsage().maxRSS / 1024,
      ...(sorted.length > 0 ? { p50Ms: at(0.5), p99Ms: at(0.99) } : {}),
    }
  }

  latency(ms: number): void {
    this.#latencies.push(ms)
  }
}
