import { describe, expect, it } from 'vitest'
import { createNodePlatform } from '../platform/index.ts'
import { createHealth } from './health.ts'
import { healthRoute, joinedMetricsRoute, observeRoutes } from './http/routes.ts'
import { createMetrics } from './metrics/metrics.ts'

const { clock } = createNodePlatform()

const request = (path: string, headers: Readonly<Record<string, string>> = {}) => ({
  method: 'GET',
  path,
  query: '',
  headers: new Map(Object.entries(headers)),
})

describe('health', () => {
  it('is well without checks, and as long as all pass', () => {
    const health = createHealth({ clock })
    expect(health.report('ready')).toEqual({ status: 'ok', checks: {} })
    health.add({ name: 'assigned', kind: 'ready', check: () => undefined })
    expect(health.report('ready')).toEqual({ status: 'ok', checks: { assigned: { ok: true } } })
  })

  it('says which check fails and why; ready fails with live, live not with ready', () => {
    const health = createHealth({ clock })
    const blocked: string[] = []
    health.add({ name: 'thread', kind: 'live', check: () => blocked[0] })
    const forget = health.add({ name: 'assigned', kind: 'ready', check: () => 'joining billing' })
    expect(health.report('live')).toEqual({ status: 'ok', checks: { thread: { ok: true } } })
    expect(health.report('ready')).toEqual({
      status: 'failed',
      checks: { thread: { ok: true }, assigned: { ok: false, reason: 'joining billing' } },
    })
    forget()
    blocked.push('a handler has blocked the thread for 20 s')
    expect(health.report('ready')).toEqual({
      status: 'failed',
      checks: { thread: { ok: false, reason: blocked[0] } },
    })
  })

  it('waits for checks that take time, but not for ever', async () => {
    const health = createHealth({ clock, checkTimeoutMs: 20 })
    health.add({ name: 'slow', kind: 'ready', check: () => new Promise(() => undefined) })
    health.add({ name: 'store', kind: 'ready', check: () => Promise.resolve('not connected') })
    health.add({ name: 'plain', kind: 'ready', check: () => undefined })
    expect(await health.report('ready')).toEqual({
      status: 'failed',
      checks: {
        plain: { ok: true },
        slow: { ok: false, reason: 'no answer within 20 ms' },
        store: { ok: false, reason: 'not connected' },
      },
    })
  })

  it('fails with a check that throws; what it threw only the log is told', async () => {
    const lines: unknown[] = []
    const health = createHealth({ clock, log: (...line) => lines.push(line) })
    health.add({
      name: 'throws',
      kind: 'live',
      check: () => {
        throw new Error('password=1')
      },
    })
    health.add({ name: 'rejects', kind: 'live', check: () => Promise.reject(new Error('b')) })
    const report = await health.report('live')
    const reason = 'the check itself failed: the log says why'
    expect(report.checks).toEqual({ throws: { ok: false, reason }, rejects: { ok: false, reason } })
    expect(lines).toEqual([
      ['warn', 'a health check threw an error', { check: 'throws', error: 'password=1' }],
      ['warn', 'a health check threw an error', { check: 'rejects', error: 'b' }],
    ])
  })

  it('has each name once', () => {
    const health = createHealth({ clock })
    const check = { name: 'a', kind: 'live', check: () => undefined } as const
    const forget = health.add(check)
    expect(() => health.add(check)).toThrow(
      "health.name ('a') is the name of another check already",
    )
    forget()
    health.add({ ...check, check: () => 'failed' })
    // What forgets a check does not forget the next one of its name.
    forget()
    expect(health.report('live')).toMatchObject({ status: 'failed' })
  })
})

describe('the routes', () => {
  it('of health answer 200 or 503, with the report, at once where they can', async () => {
    const health = createHealth({ clock })
    const routes = observeRoutes(createMetrics(), health)
    expect(Object.keys(routes)).toEqual(['/metrics', '/health/live', '/health/ready'])
    health.add({ name: 'a', kind: 'ready', check: () => 'not yet' })
    expect(routes['/health/live']?.(request('/health/live'))).toEqual({
      status: 200,
      contentType: 'application/json; charset=utf-8',
      body: '{"status":"ok","checks":{}}\n',
    })
    expect(routes['/health/ready']?.(request('/health/ready'))).toMatchObject({
      status: 503,
      body: '{"status":"failed","checks":{"a":{"ok":false,"reason":"not yet"}}}\n',
    })
    health.add({ name: 'b', kind: 'live', check: () => Promise.resolve(undefined) })
    const answer = healthRoute(health, 'live')(request('/health/live'))
    expect(answer).toBeInstanceOf(Promise)
    expect(await answer).toMatchObject({ status: 200 })
  })

  it('of metrics answer in the format that is asked for', async () => {
    const metrics = createMetrics()
    metrics.counter({ name: 'a_total', help: 'A.' })
    const route = observeRoutes(metrics, createHealth({ clock }))['/metrics']
    expect(route?.(request('/metrics'))).toEqual({
      status: 200,
      contentType: 'text/plain; version=0.0.4; charset=utf-8',
      body: metrics.expose('text'),
    })
    const accept = 'application/openmetrics-text; version=1.0.0'
    expect(route?.(request('/metrics', { accept }))).toEqual({
      status: 200,
      contentType: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
      body: metrics.expose('openmetrics'),
    })
    const theirs = {
      contentType: 'text/plain',
      metrics: () => '# HELP b B.\n# TYPE b gauge\nb 1\n',
    }
    expect(await joinedMetricsRoute(theirs, metrics)(request('/metrics'))).toEqual({
      status: 200,
      contentType: 'text/plain',
      body: `# HELP b B.\n# TYPE b gauge\nb 1\n${metrics.expose('text')}`,
    })
  })
})
