import { localRoute, observeRoutes, startHttpServer } from '../../observe/index.ts'
import type { Health, HttpServer, Log, Metrics, Route } from '../../observe/index.ts'
import { OptionError } from '../../errors.ts'
import { optionsOf, wholeNumber } from '../../option-checks.ts'
import type { Platform } from '../../platform/index.ts'
import type { ServiceOptions } from './service-options.ts'

export interface ServedService {
  readonly given: ServiceOptions['metrics']
  readonly platform: Platform
  readonly log: Log
  readonly metrics: Metrics
  readonly health: Health
  /** What parts of the service serve. */
  readonly routes: Readonly<Record<string, Route>>
}

const metricsPort = 9_464
const loopback = /^(127\.|::1$|localhost$)/

/** Starts the server of a service: metrics, health, and what its parts serve. Undefined where nothing is to be served. */
export async function serveService(served: ServedService): Promise<HttpServer | undefined> {
  const { given, platform, log, metrics, health, routes } = served
  const paths = Object.keys(routes)
  if (given === false) {
    if (paths.length === 0) return undefined
    throw new OptionError('metrics', `(false) leaves no server that has ${paths.join(', ')}`)
  }
  const options = optionsOf(given ?? {}, 'metrics', ['port', 'host'])
  const port = wholeNumber(options, 'port', metricsPort, { min: 0, max: 65_535 }, 'metrics.port')
  const isLocal = given?.host === undefined || loopback.test(given.host)
  const guarded = paths.map((path) => {
    const route = routes[path] as Route
    return [path, isLocal ? localRoute(route) : route] as const
  })
  const server = await startHttpServer({
    ...{ platform, port, log },
    routes: { ...Object.fromEntries(guarded), ...observeRoutes(metrics, health) },
    ...(given?.host !== undefined && { host: given.host }),
  })
  const { host, port: actual } = server.local
  const address = `http://${host}:${actual}`
  log('info', `metrics at ${address}/metrics, health at /health/ready`)
  if (paths.length > 0 && !isLocal) {
    log('warn', `whoever reaches ${address} reads ${paths.join(', ')}: it asks nobody who they are`)
  }
  return server
}
