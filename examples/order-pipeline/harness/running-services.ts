import type { Service } from 'millrace'
import type { ClientOptions } from 'millrace/client'
import { services } from '../services.ts'
import type { MetricsPages } from './metrics-pages.ts'

/** The services, wherever they run. */
export interface RunningServices {
  /** How many processes were killed. */
  readonly killed: number
  start(service: keyof typeof services): Promise<void>
  /** Kills one of their processes and says which. */
  killOne(): string
  end(): Promise<void>
}

/** Services in this process: nobody can kill them alone. */
export class ServicesHere implements RunningServices {
  readonly #kafka: ClientOptions
  readonly #pages: MetricsPages
  readonly #started: Service[] = []
  readonly killed = 0

  constructor(kafka: ClientOptions, pages: MetricsPages) {
    this.#kafka = kafka
    this.#pages = pages
  }

  async start(name: keyof typeof services): Promise<void> {
    const service = services[name]({
      ...{ kafka: this.#kafka, metrics: { port: 0 } },
      log: (_, message) => {
        this.#pages.heard(name, name, message)
      },
    })
    await service.start()
    this.#started.push(service)
  }

  killOne(): string {
    return 'nobody'
  }

  async end(): Promise<void> {
    await Promise.all(this.#started.map(async (service) => service.stop()))
  }
}
