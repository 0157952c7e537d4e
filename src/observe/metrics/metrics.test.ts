import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { LogFields, LogLevel } from '../log.ts'
import { createMetrics } from './metrics.ts'
import { parseExposition } from './parse-exposition-fixture.ts'

const formats = ['text', 'openmetrics'] as const

function recordedLog() {
  const lines: { level: LogLevel; message: string; fields: LogFields | undefined }[] = []
  return {
    lines,
    log: (level: LogLevel, message: string, fields?: LogFields) => {
      lines.push({ level, message, fields })
    },
  }
}

describe('a counter', () => {
  it('has one handle for each set of label values', () => {
    const sent = createMetrics().counter({
      name: 'sent_total',
      help: 'Sent.',
      labels: ['to', 'as'],
    })
    const handle = sent.with({ to: 'a', as: 'b' })
    handle.add(2)
    handle.add(0.5)
    expect(sent.with({ as: 'b', to: 'a' })).toBe(handle)
    expect(sent.with({ to: 'b', as: 'a' })).not.toBe(handle)
    expect(handle.value).toBe(2.5)
  })

  it('without labels is 0 from the beginning', () => {
    const metrics = createMetrics()
    metrics.counter({ name: 'sent_total', help: 'Sent.' })
    expect(metrics.expose()).toBe(
      '# HELP sent_total Sent.\n# TYPE sent_total counter\nsent_total 0\n',
    )
  })

  it('that was removed is exported no more', () => {
    const metrics = createMetrics()
    const lag = metrics.gauge({ name: 'lag', help: 'Lag.', labels: ['partition'] })
    const handle = lag.with({ partition: 1 })
    handle.set(3)
    lag.with({ partition: 2 }).set(4)
    lag.remove({ partition: 1 })
    handle.set(5)
    expect(metrics.expose()).not.toContain('partition="1"')
    lag.with({ partition: '1' }).add(-1)
    expect(metrics.expose()).toContain('lag{partition="1"} -1\nlag{partition="2"} 4\n')
  })

  it('takes its labels and no others, in types and at run time', () => {
    const family = createMetrics().counter({ name: 'a_total', help: 'A.', labels: ['x', 'y'] })
    // @ts-expect-error y is missing
    expect(() => family.with({ x: 'a' })).toThrow('a_total.y must be given')
    // @ts-expect-error z is not a label
    expect(() => family.with({ x: '', y: '', z: '' })).toThrow(
      'a_total.z is not a label of this metric; it has x, y',
    )
    // @ts-expect-error a family with labels wants them
    expect(() => family.with()).toThrow('a_total.x')
    const plain = createMetrics().counter({ name: 'a_total', help: 'A.' })
    // @ts-expect-error a family without labels takes none
    expect(() => plain.with({ x: 'a' })).toThrow('it has none')
    // Names that every object has are no labels that were given.
    const inherited = createMetrics().gauge({ name: 'a', help: 'A.', labels: ['toString'] })
    expect(() => inherited.with({} as never)).toThrow('a.toString must be given')
  })
})

describe('label values', () => {
  it('may be anything: each exposition parses back to what was counted', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 8 }),
      fc.string({
        unit: fc.constantFrom('\\', '"', '\n', 'n', '\r', ',', '{', '}', '=', ' ', '#'),
        maxLength: 8,
      }),
      fc.constantFrom(
        '\ud800',
        '\udc00',
        'a\0b',
        '__proto__',
        'other',
        '\ud83d\ude00',
        'x'.repeat(300),
      ),
    )
    const counts = fc.array(fc.tuple(text, text, fc.integer({ min: 0, max: 1e9 })), {
      maxLength: 30,
    })
    fc.assert(
      fc.property(counts, (added) => {
        const metrics = createMetrics()
        const family = metrics.counter({ name: 'n_total', help: 'N\\ "n"\nn.', labels: ['a', 'b'] })
        const expected = new Map<string, number>()
        const exported = (value: string) =>
          value.slice(0, 256).replace(/[\0\p{Surrogate}]/gu, '\ufffd')
        for (const [a, b, amount] of added) {
          family.with({ a, b }).add(amount)
          const key = JSON.stringify([exported(a), exported(b)])
          expected.set(key, (expected.get(key) ?? 0) + amount)
        }
        for (const format of formats) {
          const encoded = Buffer.from(metrics.expose(format)).toString()
          const [parsed] = parseExposition(encoded, format)
          expect(parsed?.help).toBe('N\\ "n"\nn.')
          const found = parsed?.samples.map(({ labels, value }) => [
            JSON.stringify([labels['a'], labels['b']]),
            value,
          ])
          expect(new Map(found as [string, number][])).toEqual(expected)
        }
      }),
      { seed: 7, numRuns: 300 },
    )
  })

  it('beyond the bound of the family count together, and the log says so once', () => {
    const { lines, log } = recordedLog()
    const metrics = createMetrics({ log, labelSetsMax: 3 })
    const family = metrics.counter({ name: 'n_total', help: 'N.', labels: ['id', 'kind'] })
    for (let id = 0; id < 10; id++) family.with({ id, kind: 'a' }).add(1)
    expect(family.with({ id: 8, kind: 'b' })).toBe(family.with({ id: 'other', kind: 'other' }))
    expect(metrics.expose().match(/^n_total.*/gm)).toEqual([
      'n_total{id="0",kind="a"} 1',
      'n_total{id="1",kind="a"} 1',
      'n_total{id="2",kind="a"} 1',
      'n_total{id="other",kind="other"} 7',
    ])
    expect(lines).toEqual([
      {
        level: 'warn',
        message: 'a metric has too many label values: more of them count as "other"',
        fields: { metric: 'n_total', labels: 'id,kind', labelSetsMax: 3 },
      },
    ])
  })

  it('are bounded to a thousand sets where nothing else is said', () => {
    const metrics = createMetrics()
    const family = metrics.histogram({ name: 'h', help: 'H.', labels: ['id'], buckets: [1] })
    for (let id = 0; id < 5_000; id++) family.with({ id }).observe(1)
    const [reading] = metrics.read()
    expect(reading?.series).toHaveLength(1_001)
  })
})

describe('a histogram', () => {
  it('counts amounts up to and including the end of a bucket', () => {
    const metrics = createMetrics()
    const family = metrics.histogram({
      name: 'took_seconds',
      help: 'Took.',
      unit: 'seconds',
      labels: ['topic'],
      buckets: [0.00001, 0.5, 1, 2_500_000],
    })
    const handle = family.with({ topic: 'a' })
    for (const value of [0.5, 0.50001, 1, 3, Infinity, -4, NaN]) handle.observe(value)
    expect([handle.count, handle.sum]).toEqual([7, Infinity])
    expect(metrics.expose('openmetrics')).toBe(
      [
        '# HELP took_seconds Took.',
        '# TYPE took_seconds histogram',
        '# UNIT took_seconds seconds',
        'took_seconds_bucket{topic="a",le="1e-05"} 2',
        'took_seconds_bucket{topic="a",le="0.5"} 3',
        'took_seconds_bucket{topic="a",le="1.0"} 5',
        'took_seconds_bucket{topic="a",le="2.5e+06"} 6',
        'took_seconds_bucket{topic="a",le="+Inf"} 7',
        'took_seconds_sum{topic="a"} +Inf',
        'took_seconds_count{topic="a"} 7',
        '# EOF\n',
      ].join('\n'),
    )
    expect(metrics.expose()).toContain('le="1"} 5\n')
  })

  it('agrees with counting by hand', () => {
    const amounts = fc.array(fc.double({ min: 0, max: 10, noNaN: true }), { maxLength: 40 })
    const ends = fc
      .uniqueArray(fc.double({ min: 0.001, max: 10, noNaN: true }), { minLength: 1, maxLength: 8 })
      .map((values) => values.sort((a, b) => a - b))
    fc.assert(
      fc.property(amounts, ends, (values, buckets) => {
        const metrics = createMetrics()
        const handle = metrics.histogram({ name: 'h', help: 'H.', buckets }).with()
        for (const value of values) handle.observe(value)
        for (const format of formats) {
          const [parsed] = parseExposition(metrics.expose(format), format)
          const found = parsed?.samples
            .filter(({ name }) => name === 'h_bucket')
            .map(({ labels, value }) => [Number(labels['le']?.replace('+Inf', 'Infinity')), value])
          const byHand = [...buckets, Infinity].map((end) => [
            end,
            values.filter((value) => value <= end).length,
          ])
          expect(found).toEqual(byHand)
        }
      }),
      { seed: 11, numRuns: 200 },
    )
  })
})

describe('what is computed when it is read', () => {
  it('is there as long as it is reported, added up over who reports it', () => {
    const metrics = createMetrics()
    const lag = metrics.gauge({ name: 'lag', help: 'Lag.', labels: ['partition'] })
    let owned = [0, 1]
    const end = lag.observe((report) => {
      for (const partition of owned) report({ partition }, 10)
    })
    lag.observe((report) => report({ partition: 1 }, 5))
    lag.with({ partition: 2 }).set(1)
    const values = () => metrics.expose().match(/^lag\{.*/gm)
    expect(values()).toEqual([
      'lag{partition="0"} 10',
      'lag{partition="1"} 15',
      'lag{partition="2"} 1',
    ])
    owned = [2]
    expect(values()).toEqual(['lag{partition="1"} 5', 'lag{partition="2"} 11'])
    end()
    expect(values()).toEqual(['lag{partition="1"} 5', 'lag{partition="2"} 1'])
  })

  it('may be one value, also of a counter', () => {
    const metrics = createMetrics()
    metrics.counter({ name: 'cpu_seconds_total', help: 'C.' }).observe((report) => report(3))
    expect(metrics.expose()).toContain('\ncpu_seconds_total 3\n')
  })

  it('is bounded too', () => {
    const metrics = createMetrics({ labelSetsMax: 2 })
    const lag = metrics.gauge({ name: 'lag', help: 'Lag.', labels: ['id'] })
    lag.observe((report) => {
      for (let id = 0; id < 10; id++) report({ id }, 1)
    })
    expect(metrics.expose().match(/^lag\{.*/gm)).toEqual([
      'lag{id="0"} 1',
      'lag{id="1"} 1',
      'lag{id="other"} 8',
    ])
  })

  it('is left out, whole, where it cannot be computed, and the log says so once', () => {
    const { lines, log } = recordedLog()
    const metrics = createMetrics({ log })
    const lag = metrics.gauge({ name: 'lag', help: 'Lag.', labels: ['id'] })
    lag.observe((report) => {
      report({ id: 1 }, 1)
      throw new Error('not yet')
    })
    lag.observe((report) => report({ id: 2 }, 2))
    metrics.expose()
    expect(metrics.expose().match(/^lag\{.*/gm)).toEqual(['lag{id="2"} 2'])
    expect(lines.map(({ fields }) => fields)).toEqual([{ metric: 'lag', error: 'not yet' }])
  })
})

describe('a registry', () => {
  it('writes the same metrics in the same order, however they came', () => {
    const series = fc.uniqueArray(fc.string({ maxLength: 4 }), { minLength: 2, maxLength: 8 })
    fc.assert(
      fc.property(series, fc.infiniteStream(fc.nat()), (names, chance) => {
        const exposed = (order: readonly string[]) => {
          const metrics = createMetrics()
          for (const family of ['b_total', 'a_total']) {
            const counter = metrics.counter({ name: family, help: 'X.', labels: ['l'] })
            for (const l of order) counter.with({ l }).add(1)
          }
          return metrics.expose()
        }
        const shuffled = names
          .map((name) => [chance.next().value, name] as const)
          .sort(([a], [b]) => a - b)
          .map(([, name]) => name)
        expect(exposed(shuffled)).toBe(exposed(names))
      }),
      { seed: 3, numRuns: 100 },
    )
  })

  it('answers the same family again, and refuses another of its name', () => {
    const metrics = createMetrics()
    const options = { name: 'n_total', help: 'N.', labels: ['a'] } as const
    const family = metrics.counter(options)
    expect(metrics.counter({ ...options, help: 'Other words.' })).toBe(family)
    expect(() => metrics.counter({ ...options, labels: ['b'] })).toThrow(
      "counter.name ('n_total') is taken by the counter n_total{a}; this is the counter n_total{b}",
    )
    // In OpenMetrics the family of the counter is called n.
    expect(() => metrics.gauge({ name: 'n', help: 'N.' })).toThrow(
      'is taken by the counter n_total{a}',
    )
    metrics.histogram({ name: 'h', help: 'H.', buckets: [1, 2] })
    expect(() => metrics.histogram({ name: 'h', help: 'H.', buckets: [1, 3] })).toThrow(
      'is taken by the histogram h{} with buckets to 1, 2',
    )
  })

  it.each([
    [{ name: 'a-b_total' }, "counter.name ('a-b_total') must be letters, digits and _"],
    [{ name: '1a_total' }, "counter.name ('1a_total') must be letters"],
    [{ name: 'a\n_total' }, 'must be letters'],
    [{ name: 'job:a_total' }, 'must be letters'],
    [{ name: 'a' }, "counter.name ('a') must end in _total"],
    [{ name: '_total' }, 'must end in _total'],
    [{ name: 'a_count_total' }, 'must not end in what the formats add'],
    [{ help: ' ' }, 'n_total.help must say what is measured'],
    [{ unit: 'seconds' }, "n_total.unit ('seconds') must be the end"],
    [{ labels: ['le'] }, "n_total.labels ('le') must be letters"],
    [{ labels: ['__name__'] }, "('__name__')"],
    [{ labels: ['a b'] }, "('a b')"],
    [{ labels: ['a', 'a'] }, 'n_total.labels (a, a) must differ'],
    [{ labelSetsMax: 0 }, 'n_total.labelSetsMax (0) must be a whole number from 1'],
  ])('refuses a counter with %j', (wrong, message) => {
    const options = { name: 'n_total', help: 'N.', ...wrong }
    expect(() => createMetrics().counter(options)).toThrow(message)
  })

  it.each([[[]], [[0, 1]], [[1, 1]], [[2, 1]], [[1, Infinity]], [[NaN]]])(
    'refuses a histogram with buckets to %j',
    (buckets) => {
      expect(() => createMetrics().histogram({ name: 'h', help: 'H.', buckets })).toThrow(
        'h.buckets (',
      )
    },
  )

  it('writes values as both formats want them', () => {
    const metrics = createMetrics()
    const gauge = metrics.gauge({ name: 'g', help: 'G.', labels: ['of'] })
    const values = [1e300, 1e-7, -0, 0.1, Infinity, -Infinity, NaN, 2 ** 53]
    values.forEach((value, of) => gauge.with({ of }).set(value))
    for (const format of formats) {
      const [parsed] = parseExposition(metrics.expose(format), format)
      // Minus zero is written as zero.
      expect(parsed?.samples.map(({ value }) => value)).toEqual(
        values.map((value) => value || value + 0),
      )
    }
  })
})
