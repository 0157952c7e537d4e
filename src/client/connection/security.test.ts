import { describe, expect, it } from 'vitest'
import { resolveClientOptions } from '../resolve-options.ts'
import { tlsFor } from './security.ts'

const here = { host: '127.0.0.1', port: 9092 }
const elsewhere = { host: 'kafka-1', port: 9092 }

describe('plain text', () => {
  it('stays on this machine', () => {
    const options = resolveClientOptions({ brokers: 'localhost' })
    expect(tlsFor(options, here)).toBeUndefined()
    expect(tlsFor(options, { host: '::1', port: 9092 })).toBeUndefined()
  })

  it.each([{ brokers: 'localhost' }, { brokers: 'localhost', tls: false }])(
    'does not leave it because a broker advertises an address: %j',
    (given) => {
      const refused = (): unknown => tlsFor(resolveClientOptions(given), elsewhere)
      const message =
        `tls is off, and the brokers advertise 'kafka-1', which is not on this machine: ` +
        'set tls, or allowPlaintext, or have the brokers advertise a loopback address'
      expect(refused).toThrow(expect.objectContaining({ code: 'MILLRACE_OPTION_INVALID', message }))
    },
  )

  it('shows what a broker advertises on one line, and not more than can be read', () => {
    const options = resolveClientOptions({ brokers: 'localhost' })
    const host = `evil\n\x1b[2J${'x'.repeat(10_000)}`
    const refused = (): unknown => tlsFor(options, { host, port: 1 })
    expect(refused).toThrow(/^tls is off, and the brokers advertise 'evil \[2Jx{191}…', which/)
  })

  it('leaves it where that is allowed', () => {
    const options = resolveClientOptions({ brokers: 'kafka-1', allowPlaintext: true })
    expect(tlsFor(options, elsewhere)).toBeUndefined()
  })
})

describe('TLS', () => {
  it('is for every address, also on this machine', () => {
    const options = resolveClientOptions({ brokers: 'kafka-1' })
    expect(tlsFor(options, elsewhere)).toEqual({ serverName: 'kafka-1' })
    expect(tlsFor(options, here)).toEqual({ serverName: '127.0.0.1' })
  })

  it('expects the name that is given, or the host', () => {
    const options = resolveClientOptions({ brokers: 'a,b', tls: { serverName: 'kafka' } })
    expect(tlsFor(options, elsewhere)?.serverName).toBe('kafka')
  })

  it('is the same object for the same name: certificates are read once for each', () => {
    const options = resolveClientOptions({ brokers: 'kafka-1', tls: true })
    const first = tlsFor(options, elsewhere)
    expect(tlsFor(options, { ...elsewhere, port: 1 })).toBe(first)
    expect(tlsFor(options, here)).not.toBe(first)
    expect(tlsFor(resolveClientOptions({ brokers: 'kafka-1' }), elsewhere)).not.toBe(first)
  })

  it('is right for more names than are remembered', () => {
    const options = resolveClientOptions({ brokers: 'kafka-1', tls: true })
    for (let i = 0; i < 3000; i++) {
      const host = `kafka-${i}`
      expect(tlsFor(options, { host, port: 9092 })?.serverName).toBe(host)
    }
  })
})
