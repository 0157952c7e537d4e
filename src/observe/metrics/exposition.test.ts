import { describe, expect, it } from 'vitest'
import { expositionFormatFor } from './accept.ts'
import { expositionContentTypes } from './exposition.ts'
import { exposeTogether } from './expose-together.ts'
import { createMetrics } from './metrics.ts'
import { parseExposition } from './parse-exposition-fixture.ts'

describe('the format', () => {
  it.each([
    [undefined, 'text'],
    ['', 'text'],
    ['*/*', 'text'],
    ['text/plain', 'text'],
    ['text/html,application/xhtml+xml,*/*;q=0.8', 'text'],
    ['application/openmetrics-text', 'openmetrics'],
    ['Application/OpenMetrics-Text; version="1.0.0"', 'openmetrics'],
    ['application/openmetrics-text;version=0.0.1', 'text'],
    ['application/openmetrics-text;q=0', 'text'],
    ['application/openmetrics-text;q=banana', 'text'],
    ['text/plain;q=0.5,application/openmetrics-text;q=0.4', 'text'],
    ['application/json', 'text'],
    [',;;q=,', 'text'],
    // What Prometheus 2.40 and Prometheus 3 send.
    [
      'application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1',
      'openmetrics',
    ],
    [
      'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2',
      'openmetrics',
    ],
  ])('for %j is %s', (accept, format) => {
    expect(expositionFormatFor(accept)).toBe(format)
  })
})

describe('beside the metrics of somebody else', () => {
  function ours() {
    const metrics = createMetrics()
    metrics.counter({ name: 'sent_total', help: 'Sent by us.' }).with().add(1)
    metrics.gauge({ name: 'queued', help: 'Queued by us.' }).with().set(2)
    return metrics
  }

  it('ours stand behind theirs', async () => {
    const metrics = () => Promise.resolve('# HELP up Up.\n# TYPE up gauge\nup 1\n\n')
    const contentType = expositionContentTypes.text
    const { body, ...rest } = await exposeTogether({ contentType, metrics }, ours())
    expect(rest).toEqual({ contentType })
    const names = parseExposition(body, 'text').map(({ name }) => name)
    expect(names).toEqual(['up', 'queued', 'sent_total'])
  })

  it('there is one end, and each family once', async () => {
    const theirs = {
      contentType: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
      metrics: () => '# HELP sent Sent by them.\n# TYPE sent counter\nsent_total 5\n# EOF\n',
    }
    const { body } = await exposeTogether(theirs, ours())
    const families = parseExposition(body, 'openmetrics')
    expect(families.map(({ name, help }) => [name, help])).toEqual([
      ['sent', 'Sent by them.'],
      ['queued', 'Queued by us.'],
    ])
  })

  it('an empty registry adds nothing', async () => {
    const empty = { contentType: expositionContentTypes.openmetrics, metrics: () => '# EOF\n' }
    const { body } = await exposeTogether(empty, ours())
    expect(body).toBe(ours().expose('openmetrics'))
  })
})
