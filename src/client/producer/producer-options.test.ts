import { describe, expect, it } from 'vitest'
import { resolveProducerOptions } from './producer-options.ts'

describe('the options of a producer', () => {
  it('are safe when nothing is said', () => {
    expect(resolveProducerOptions()).toMatchObject({
      acks: 'all',
      idempotent: true,
      inFlightMax: 5,
      deliveryTimeoutMs: 120_000,
      bufferBytesMax: 67_108_864,
      createTopics: false,
    })
  })

  it('keep the order without idempotence', () => {
    expect(resolveProducerOptions({ acks: 'leader' })).toMatchObject({
      idempotent: false,
      inFlightMax: 1,
    })
    expect(resolveProducerOptions({ idempotent: false, inFlightMax: 50 }).inFlightMax).toBe(50)
  })

  it('leave room for the request around a batch', () => {
    const { batchBytesMax, requestBytesMax } = resolveProducerOptions({ requestBytesMax: 10_000 })
    expect(batchBytesMax).toBeLessThan(requestBytesMax)
  })

  it.each([
    [{ acks: 'some' }, "acks ('some') must be one of 'all', 'leader', 'none'"],
    [{ acks: 'leader', idempotent: true }, "acks ('leader') must be 'all'"],
    [{ inFlightMax: 6 }, 'inFlightMax (6) must be a whole number from 1 to 5'],
    [{ lingerMs: -1 }, 'lingerMs (-1) must be'],
    [{ deliveryTimeoutMs: 'soon' }, "deliveryTimeoutMs ('soon') must be"],
    [{ compression: 'rar' }, "compression ('rar') must be one of"],
    [{ compression: 'gzip', compressionLevel: 10 }, 'from 1 to 9'],
    [{ compressionLevel: 1 }, "means nothing to compression: 'none'"],
    [{ partitioner: 3 }, 'partitioner (3) must be a function'],
    [{ linger: 3 }, 'linger is not an option; did you mean lingerMs?'],
  ])('are refused with what is allowed: %j', (options, message) => {
    expect(() => resolveProducerOptions(options as never)).toThrow(message)
  })
})
