import type { Health, HealthKind, HealthReport } from '../health.ts'
import { expositionFormatFor } from '../metrics/accept.ts'
import { exposeTogether } from '../metrics/expose-together.ts'
import type { ForeignRegistry } from '../metrics/expose-together.ts'
import { expositionContentTypes } from '../metrics/exposition.ts'
import type { Metrics } from '../metrics/metrics.ts'
import type { Route } from './connection.ts'
import { textResponse } from './response.ts'
import type { HttpResponse } from './response.ts'

/** Answers with metrics, in the format that the client asks for. */
export function metricsRoute(metrics: Metrics): Route {
  return ({ headers }) => {
    const format = expositionFormatFor(headers.get('accept'))
    return {
      status: 200,
      contentType: expositionContentTypes[format],
      body: metrics.expose(format),
    }
  }
}

/** Answers with the metrics of another registry, such as prom-client's, and with ours. */
export function joinedMetricsRoute(theirs: ForeignRegistry, metrics: Metrics): Route {
  return async () => ({ status: 200, ...(await exposeTogether(theirs, metrics)) })
}

/** Answers 200 when all checks of the kind pass, else 503; which of them failed, and why, is in the body. */
export function healthRoute(health: Health, kind: HealthKind): Route {
  return () => {
    const report = health.report(kind)
    return report instanceof Promise ? report.then(healthResponse) : healthResponse(report)
  }
}

function healthResponse(report: HealthReport): HttpResponse {
  return {
    status: report.status === 'ok' ? 200 : 503,
    contentType: 'application/json; charset=utf-8',
    body: `${JSON.stringify(report)}\n`,
  }
}

/**
 * Answers programs on this machine alone, of a server that nobody else reaches but what runs in a browser here: a page has an origin, and
 * after a trick with names another host.
 */
export function localRoute(route: Route): Route {
  return (request) => {
    const host = (request.headers.get('host') ?? '').replace(/:\d+$/, '')
    const isLocal = /^(127(\.\d{1,3}){3}|localhost|\[::1\])$/.test(host)
    if (isLocal && !request.headers.has('origin')) return route(request)
    return textResponse(403, 'only for programs on this machine')
  }
}

/** What a service serves: `/metrics`, `/health/live` and `/health/ready`. */
export function observeRoutes(metrics: Metrics, health: Health): Readonly<Record<string, Route>> {
  return {
    '/metrics': metricsRoute(metrics),
    '/health/live': healthRoute(health, 'live'),
    '/health/ready': healthRoute(health, 'ready'),
  }
}
