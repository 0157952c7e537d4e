import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isMillraceError } from '../errors.ts'
import { addressText, isLoopback, parseBrokerAddresses } from './broker-address.ts'

describe('addresses of brokers', () => {
  it.each<[string | string[], [string, number][]]>([
    ['kafka', [['kafka', 9092]]],
    ['kafka-1:9093,kafka_2.example.org:1', [['kafka-1', 9093], ['kafka_2.example.org', 1]]], // prettier-ignore
    [[' a:1 ', 'b:2, c:3,'], [['a', 1], ['b', 2], ['c', 3]]], // prettier-ignore
    ['[::1]:9093,[fe80::1%eth0]', [['::1', 9093], ['fe80::1%eth0', 9092]]], // prettier-ignore
    ['10.0.0.1:65535', [['10.0.0.1', 65_535]]],
    ['bücher.example:9092', [['bücher.example', 9092]]],
    ['a:1,a:1,a', [['a', 1], ['a', 9092]]], // prettier-ignore
  ])('%j are read', (brokers, expected) => {
    const addresses = parseBrokerAddresses(brokers)
    expect(addresses.map(({ host, port }) => [host, port])).toEqual(expected)
  })

  it.each<[unknown, string]>([
    ['', 'at least one broker'],
    [[], 'at least one broker'],
    [' , ', 'at least one broker'],
    [undefined, 'list of such texts'],
    [9092, 'list of such texts'],
    [['a', 1], 'list of such texts'],
    ['a:0', `brokers ('a:0') must end with a port from 1 to 65535`],
    ['a:65536', 'must end with a port'],
    ['a:9092x', 'must end with a port'],
    ['a:', 'must end with a port'],
    ['::1', 'an IPv6 address in brackets'],
    ['fe80::1:9092', 'an IPv6 address in brackets'],
    ['[::1', 'an IPv6 address in brackets'],
    ['[::1]9092', 'an IPv6 address in brackets'],
    ['[kafka]:9092', 'an IPv6 address between its brackets'],
    ['[127.0.0.1]:9092', 'an IPv6 address between its brackets'],
    ['[::1%]:9092', 'an IPv6 address between its brackets'],
    [':9092', 'the name or the address of a host'],
    ['ka fka:9092', 'the name or the address of a host'],
    ['-kafka:9092', 'the name or the address of a host'],
    ['kafka://a:9092', 'without a protocol'],
  ])('%j are refused', (brokers, problem) => {
    expect(() => parseBrokerAddresses(brokers)).toThrow(problem)
  })

  it('with a password are refused without showing it', () => {
    const refused = (): unknown => parseBrokerAddresses('kafka://alice:pass-word@host:9092')
    expect(refused).toThrow('without a user')
    expect(refused).not.toThrow('pass-word')
  })

  it('of any text are read or refused, and what was read is read again', () => {
    const anything = fc.oneof(
      fc.string(),
      fc.stringMatching(/^[a-z0-9:.,[\]%_ -]*$/),
      fc.ipV6().map((address) => `[${address}]:9092`),
    )
    const property = fc.property(anything, (text) => {
      try {
        const addresses = parseBrokerAddresses(text)
        expect(parseBrokerAddresses(addresses.map(addressText))).toEqual(addresses)
      } catch (error) {
        if (!isMillraceError(error, 'MILLRACE_OPTION_INVALID')) throw error
      }
    })
    fc.assert(property, { seed: 1, numRuns: 2000 })
  })
})

describe('loopback', () => {
  it.each([
    ...['localhost', 'LocalHost', '127.0.0.1', '127.255.255.255', '::1', '0:0:0:0:0:0:0:1'],
    ...['::ffff:127.0.0.1', '::ffff:7f00:1', '::1%lo'],
  ])('is %s', (host) => {
    expect(isLoopback(host)).toBe(true)
  })

  // Names that look like it are asked of a name server, which answers what it likes.
  it.each([
    ...['kafka', '10.0.0.1', '128.0.0.1', '127.0.0.1.example.org', 'localhost.example.org'],
    ...['127.0.0.256', '127.1', '0177.0.0.1', '::', '::2', '::ffff:7f:1', '::ffff:10.0.0.1', ''],
    ...['[::1]', 'localhost:9092', '0.0.0.0', '127.0.0.1\n', '1::7f00:1'],
  ])('is not %j', (host) => {
    expect(isLoopback(host)).toBe(false)
  })

  it('is every address from 127.0.0.0 to 127.255.255.255, in both families, and no other', () => {
    const property = fc.property(fc.ipV4(), (address) => {
      expect(isLoopback(address)).toBe(address.startsWith('127.'))
      expect(isLoopback(`::ffff:${address}`)).toBe(address.startsWith('127.'))
    })
    fc.assert(property, { seed: 1, numRuns: 500 })
    const first = fc.tuple(fc.integer({ min: 126, max: 128 }), fc.ipV4())
    const near = fc.property(first, ([octet, rest]) => {
      const address = `${octet}${rest.slice(rest.indexOf('.'))}`
      expect(isLoopback(address)).toBe(octet === 127)
      expect(isLoopback(`::ffff:${address}`)).toBe(octet === 127)
    })
    fc.assert(near, { seed: 1, numRuns: 500 })
  })
})
