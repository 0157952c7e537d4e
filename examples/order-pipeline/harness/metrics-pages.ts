/** What the pages of a service say, its processes together. */
export interface ServiceMetrics {
  /** Where its processes serve them. */
  readonly addresses: readonly string[]
  /** Records that are being worked on. */
  readonly inFlight: number
  /** Further attempts so far, also of processes that are gone. */
  readonly retries: number
}

interface Page {
  readonly service: string
  readonly address: string
  retries: number
}

/** What of it is worked on: handlers that run, and what a stream has read and not yet joined. */
const inFlightNames = ['millrace_handler_in_flight_records', 'millrace_stream_waiting_records']

/** Reads `/metrics` of all processes, as Prometheus would. */
export class MetricsPages {
  readonly #pages = new Map<string, Page>()
  readonly #retriesOfGone = new Map<string, number>()

  /** Takes what a process says in its log, and knows by it where its page is. `process` is its name. */
  heard(service: string, process: string, text: string): void {
    const address = /metrics at (http:\S+?\/metrics)/.exec(text)?.[1]
    if (address !== undefined) this.#pages.set(process, { service, address, retries: 0 })
  }

  /** The process is gone, and its page with it. */
  gone(process: string): void {
    const page = this.#pages.get(process)
    if (page === undefined) return
    this.#pages.delete(process)
    const { service, retries } = page
    this.#retriesOfGone.set(service, (this.#retriesOfGone.get(service) ?? 0) + retries)
  }

  async read(service: string): Promise<ServiceMetrics> {
    const pages = [...this.#pages.values()].filter((page) => page.service === service)
    const texts = await Promise.all(pages.map(async ({ address }) => textOf(address)))
    let inFlight = 0
    let retries = this.#retriesOfGone.get(service) ?? 0
    for (const [index, page] of pages.entries()) {
      const text = texts[index]
      if (text !== undefined) {
        page.retries = sumIn(text, 'millrace_retries_total')
        for (const name of inFlightNames) inFlight += sumIn(text, name)
      }
      retries += page.retries
    }
    return { addresses: pages.map(({ address }) => address), inFlight, retries }
  }
}

/** The sum of all series of a name in Prometheus' text. */
export function sumIn(page: string, name: string): number {
  let sum = 0
  for (const line of page.split('\n')) {
    const [, value] = /^\w+(?:\{.*\})? (\S+)$/.exec(line) ?? []
    const isOfName = line.startsWith(`${name}{`) || line.startsWith(`${name} `)
    if (isOfName && value !== undefined) sum += Number(value)
  }
  return sum
}

/** Undefined where nobody answers: the process may have been killed a moment ago. */
async function textOf(address: string): Promise<string | undefined> {
  try {
    const response = await fetch(address, { signal: AbortSignal.timeout(1_000) })
    return await response.text()
  } catch {
    return undefined
  }
}
