import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { RequestReader } from './request-reader.ts'
import type { ReadResult } from './request-reader.ts'

/** All that a reader makes of these pieces. */
function readAll(pieces: readonly Buffer[]): Exclude<ReadResult, { kind: 'incomplete' }>[] {
  const reader = new RequestReader()
  const results: Exclude<ReadResult, { kind: 'incomplete' }>[] = []
  for (const piece of pieces) {
    reader.push(piece)
    for (let result = reader.next(); result.kind !== 'incomplete'; result = reader.next()) {
      results.push(result)
    }
  }
  return results
}

const read = (text: string) => readAll([Buffer.from(text, 'latin1')])
const statusOf = (text: string) =>
  read(text).map((result) => (result.kind === 'refused' ? result.status : result.request.path))

const get = 'GET /metrics HTTP/1.1\r\nHost: a\r\n'

describe('a request', () => {
  it('is its method, path, query and headers', () => {
    const [result] = read(
      'GET /metrics?a=1?b HTTP/1.1\r\nHOST: a:9464\r\nAccept:text/plain \r\naccept: \t*/*\r\nX-Empty:\r\n\r\n',
    )
    expect(result).toEqual({
      kind: 'request',
      keepAlive: true,
      request: {
        method: 'GET',
        path: '/metrics',
        query: 'a=1?b',
        headers: new Map([
          ['host', 'a:9464'],
          ['accept', 'text/plain, */*'],
          ['x-empty', ''],
        ]),
      },
    })
  })

  it.each([
    ['GET http://a:9464/metrics HTTP/1.1\r\nHost: a\r\n\r\n', '/metrics'],
    ['GET http://a HTTP/1.1\r\nHost: a\r\n\r\n', '/'],
    ['GET http://a?q HTTP/1.1\r\nHost: a\r\n\r\n', '/'],
    ['\r\nGET / HTTP/1.0\r\n\r\n', '/'],
    ['GET /%2e%2e/ HTTP/1.1\r\nHost:\r\n\r\n', '/%2e%2e/'],
  ])('%j is for %s', (text, path) => {
    expect(statusOf(text)).toEqual([path])
  })

  it.each([
    ['HTTP/1.1\r\nHost: a\r\n\r\n', true],
    ['HTTP/1.1\r\nHost: a\r\nConnection: Upgrade , Close\r\n\r\n', false],
    ['HTTP/1.0\r\n\r\n', false],
    ['HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n', true],
    ['HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n', false],
  ])('with %j keeps its connection: %s', (rest, keepAlive) => {
    expect(read(`GET / ${rest}`)).toMatchObject([{ keepAlive }])
  })

  it('may follow another one, and its body', () => {
    const post = `POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: ${get.length}\r\n\r\n${get}`
    expect(statusOf(`${post}${get}\r\n${post}\r\n${get}\r\n`)).toEqual([
      '/a',
      '/metrics',
      '/a',
      '/metrics',
    ])
  })
})

describe('many requests', () => {
  it('on one connection have each the whole of the bounds', () => {
    const request = `${get}X: ${'a'.repeat(5_000)}\r\n\r\n`
    expect(statusOf(request.repeat(50))).toEqual(Array.from({ length: 50 }, () => '/metrics'))
  })
})

describe('what is refused', () => {
  it.each([
    ['\r\n\r\n', 400],
    ['GET /\r\n', 400],
    ['GET / HTTP/1.1 \r\n', 400],
    ['GET  / HTTP/1.1\r\n', 400],
    ['GET / http/1.1\r\n', 400],
    ['GET / HTTP/1.11\r\n', 400],
    ['G@T / HTTP/1.1\r\n', 400],
    ['GET metrics HTTP/1.1\r\n', 400],
    ['OPTIONS * HTTP/1.1\r\n', 400],
    ['GET /\xff HTTP/1.1\r\n', 400],
    ['GET / HTTP/1.1\n', 400],
    ['\x16\x03\x01\x02\x00\x01\n', 400],
    ['GET / HTTP/0.9\r\n', 505],
    ['PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 505],
    [`GET /${'a'.repeat(8 * 1024)} HTTP/1.1\r\n`, 414],
    ['A'.repeat(8 * 1024 + 3), 414],
    [`${get}X: ${'a'.repeat(8 * 1024)}\r\n`, 431],
    [`${get}${'X: a\r\n'.repeat(2_000)}`, 431],
    ['GET / HTTP/1.1\r\n\r\n', 400],
    [`${get}Host: b\r\n\r\n`, 400],
    [`${get} folded\r\n\r\n`, 400],
    [`${get}X : a\r\n\r\n`, 400],
    [`${get}no colon\r\n\r\n`, 400],
    [`${get}: a\r\n\r\n`, 400],
    [`${get}X: a\0b\r\n\r\n`, 400],
    [`${get}X: a\rb\r\n\r\n`, 400],
    [`${get}X: a\n\r\n`, 400],
    [`${get}Content-Length: 1\r\nContent-Length: 2\r\n\r\n`, 400],
    [`${get}Content-Length: +1\r\n\r\n`, 400],
    [`${get}Content-Length: 0x1\r\n\r\n`, 400],
    [`${get}Content-Length: 99999999999999999999\r\n\r\n`, 400],
    [`${get}Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n`, 400],
    ['GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n', 400],
    [`${get}Transfer-Encoding: Chunked\r\n\r\n0\r\n\r\n`, 411],
    [`${get}Transfer-Encoding: gzip, chunked\r\n\r\n`, 501],
    [`${get}Content-Length: 65537\r\n\r\n`, 413],
    [`${get}Content-Length: 5\r\nExpect: 100-continue\r\n\r\n`, 417],
  ])('%j with %s, and nothing behind it is read', (text, status) => {
    expect(statusOf(`${text}${get}\r\n`)).toEqual([status])
  })

  it('is not what is just within the bounds', () => {
    const line = `GET /${'a'.repeat(8 * 1024 - 'GET / HTTP/1.1'.length)} HTTP/1.1\r\n`
    const headers = `Host: a\r\nX: ${'a'.repeat(8 * 1024 - 'Host: a\r\nX: \r\n\r\n'.length)}\r\n\r\n`
    expect(read(`${line}${headers}`)).toMatchObject([{ kind: 'request' }])
  })
})

/** Bytes that are often nearly requests. */
const material = fc
  .array(
    fc.oneof(
      { weight: 4, arbitrary: fc.constant(`${get}\r\n`) },
      fc.constantFrom(get, '\r\n', '\n', 'Content-Length: 3\r\n\r\nabc', 'HEAD / HTTP/1.0\r\n\r\n'),
      fc.constantFrom('Transfer-Encoding: chunked\r\n', 'x'.repeat(9_000), 'X: y\r\n', ' ', ':'),
      fc.string({ unit: 'binary', maxLength: 20 }),
    ),
    { maxLength: 12 },
  )
  .map((parts) => Buffer.from(parts.join(''), 'latin1'))

describe('bytes', () => {
  it('mean the same wherever they are cut', () => {
    fc.assert(
      fc.property(
        material,
        fc.array(fc.nat(), { maxLength: 10 }),
        fc.boolean(),
        (bytes, cuts, single) => {
          const places = single
            ? Array.from({ length: Math.min(bytes.length, 3_000) }, (_, i) => i)
            : cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b)
          const pieces = [0, ...places].map((place, i) => bytes.subarray(place, places[i]))
          expect(readAll(pieces)).toEqual(readAll([bytes]))
        },
      ),
      { seed: 5, numRuns: 500 },
    )
  })

  it('are never held beyond what a head may have, and the last one read is the one refused', () => {
    fc.assert(
      fc.property(fc.array(material, { maxLength: 6 }), (pieces) => {
        const reader = new RequestReader()
        const kinds: string[] = []
        for (const piece of pieces) {
          reader.push(piece)
          let result: ReadResult
          while ((result = reader.next()).kind !== 'incomplete') kinds.push(result.kind)
          expect(reader.bufferedBytes).toBeLessThanOrEqual(8 * 1024 + 2)
        }
        expect(kinds.slice(0, -1)).not.toContain('refused')
      }),
      { seed: 6, numRuns: 500 },
    )
  })
})
