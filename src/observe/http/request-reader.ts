/** A request that was understood. */
export interface HttpRequest {
  /** As it was sent. */
  readonly method: string
  /** From the first slash on, without the query. Nothing is decoded. */
  readonly path: string
  /** Behind the question mark; empty where there is none. */
  readonly query: string
  /** By their names in lower case. What was sent several times is joined by commas. */
  readonly headers: ReadonlyMap<string, string>
}

/** What a connection is to do next. */
export type ReadResult =
  | { readonly kind: 'incomplete' }
  | { readonly kind: 'request'; readonly request: HttpRequest; readonly keepAlive: boolean }
  | { readonly kind: 'refused'; readonly status: number; readonly reason: string }

/** The request line without its end. Longer ones are answered with 414. */
const lineBytesMax = 8 * 1024

/** All header lines with their ends. More are answered with 431. */
const headerBytesMax = 8 * 1024

/** Bytes of a body that are taken and dropped, so that the connection can be kept. */
const bodyBytesMax = 64 * 1024

const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/

class Refusal extends Error {
  readonly status: number

  constructor(status: number, reason: string) {
    super(reason)
    this.status = status
  }
}

interface Head {
  readonly method: string
  readonly path: string
  readonly query: string
  readonly minorVersion: number
  readonly headers: Map<string, string>
}

const incomplete = { kind: 'incomplete' } as const

/**
 * Cuts the bytes of a connection into requests, as RFC 9112 writes them down:
 *
 *     request = method SP target SP "HTTP/" digit "." digit CRLF *( name ":" value CRLF ) CRLF [ body ]
 *
 * States: between requests → within a head → (the body of a request that was handed out is dropped) → between
 * requests. From each of them to refused, for good: what comes behind a request that was not understood could be
 * anything. Strict where leniency lets two readers see two different requests: line ends are CR LF, a body
 * has one length.
 */
export class RequestReader {
  #pending: Buffer = Buffer.alloc(0)
  /** Up to here there is no line feed in `#pending`. */
  #searchedBytes = 0
  #head: Head | undefined
  #headerBytes = 0
  #emptyLines = 0
  #bodyBytesLeft = 0
  #isRefused = false

  /** Whether no request has begun that has not been handed out, and no body is missing. */
  get isBetweenRequests(): boolean {
    return this.#pending.length === 0 && this.#head === undefined && !this.isWithinBody
  }

  /** Whether more of the body is to come of a request that was handed out. */
  get isWithinBody(): boolean {
    return this.#bodyBytesLeft > 0
  }

  get bufferedBytes(): number {
    return this.#pending.length
  }

  push(chunk: Buffer): void {
    if (this.#isRefused) return
    this.#pending = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk])
  }

  /** The next request, if all of its head has come. */
  next(): ReadResult {
    if (this.#isRefused) return incomplete
    try {
      return this.#dropBody() ? this.#readHead() : incomplete
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      this.#isRefused = true
      this.#pending = Buffer.alloc(0)
      return { kind: 'refused', status: error.status, reason: error.message }
    }
  }

  /** Whether the body of the request before is gone. */
  #dropBody(): boolean {
    const dropped = Math.min(this.#bodyBytesLeft, this.#pending.length)
    this.#pending = this.#pending.subarray(dropped)
    this.#bodyBytesLeft -= dropped
    return this.#bodyBytesLeft === 0
  }

  #readHead(): ReadResult {
    for (;;) {
      const line = this.#line()
      if (line === undefined) return incomplete
      if (this.#head === undefined) this.#startRequest(line)
      else if (line !== '') addHeader(this.#head.headers, line)
      else return this.#endHead(this.#head)
    }
  }

  #startRequest(line: string): void {
    if (line === '') {
      // One is known to come from clients that put a line end behind a body.
      this.#emptyLines += 1
      if (this.#emptyLines > 1) throw new Refusal(400, 'empty lines in place of a request')
      return
    }
    this.#head = parseRequestLine(line)
    this.#headerBytes = 0
    this.#emptyLines = 0
  }

  #endHead(head: Head): ReadResult {
    this.#head = undefined
    const { method, path, query, headers } = head
    this.#bodyBytesLeft = bodyLength(head)
    const request = { method, path, query, headers }
    return { kind: 'request', request, keepAlive: wantsToKeepAlive(head) }
  }

  /** The next line without its end. */
  #line(): string | undefined {
    const end = this.#pending.indexOf(0x0a, this.#searchedBytes)
    this.#checkLength(end === -1 ? this.#pending.length : end + 1)
    if (end === -1) {
      this.#searchedBytes = this.#pending.length
      return undefined
    }
    this.#searchedBytes = 0
    if (this.#head !== undefined) this.#headerBytes += end + 1
    const line = this.#pending.toString('latin1', 0, end)
    this.#pending = this.#pending.subarray(end + 1)
    if (!line.endsWith('\r')) throw new Refusal(400, 'a line that does not end in CR LF')
    return line.slice(0, -1)
  }

  #checkLength(bytes: number): void {
    if (this.#head === undefined) {
      if (bytes > lineBytesMax + 2) {
        throw new Refusal(414, `a request line of more than ${lineBytesMax} bytes`)
      }
    } else if (this.#headerBytes + bytes > headerBytesMax) {
      throw new Refusal(431, `headers of more than ${headerBytesMax} bytes`)
    }
  }
}

function parseRequestLine(line: string): Head {
  const [method = '', target = '', version = '', ...more] = line.split(' ')
  const [, major, minor] = /^HTTP\/(\d)\.(\d)$/.exec(version) ?? []
  if (major === undefined || more.length > 0 || !token.test(method) || !/^[!-~]+$/.test(target)) {
    throw new Refusal(400, 'a request line that is not method, target and HTTP version')
  }
  if (major !== '1') throw new Refusal(505, 'an HTTP version other than 1.0 and 1.1')
  // Proxies are sent the whole address, and servers have to understand it.
  const local = target.replace(/^https?:\/\/[^/?]*/i, '')
  const [path = '', ...query] = (local.startsWith('?') || local === '' ? `/${local}` : local).split(
    '?',
  )
  if (!path.startsWith('/')) throw new Refusal(400, 'a target that is not a path')
  return { method, path, query: query.join('?'), minorVersion: Number(minor), headers: new Map() }
}

function addHeader(headers: Map<string, string>, line: string): void {
  const colon = line.indexOf(':')
  const name = line.slice(0, Math.max(colon, 0))
  // A line that begins with a space once continued the one before it: no name either.
  if (!token.test(name) || !/^[\t\x20-\x7e\x80-\xff]*$/.test(line)) {
    throw new Refusal(400, 'a header line that is not a name and a value')
  }
  const key = name.toLowerCase()
  const value = line.slice(colon + 1).trim()
  const before = headers.get(key)
  if (before !== undefined && key === 'host') throw new Refusal(400, 'more than one Host')
  headers.set(key, before === undefined ? value : `${before}, ${value}`)
}

/** Throws where the body is none that can be dropped, so that nothing in it is taken for a request. */
function bodyLength({ headers, minorVersion }: Head): number {
  const [length, coding] = [headers.get('content-length'), headers.get('transfer-encoding')]
  if (minorVersion > 0 && !headers.has('host')) throw new Refusal(400, 'no Host')
  if (coding !== undefined) {
    if (length !== undefined || minorVersion === 0) {
      throw new Refusal(400, 'a body whose end cannot be told')
    }
    if (coding.toLowerCase() === 'chunked') throw new Refusal(411, 'a body without a length')
    throw new Refusal(501, 'a transfer coding that is not known')
  }
  if (length === undefined) return 0
  if (!/^\d{1,15}$/.test(length)) throw new Refusal(400, 'a length that is not a number')
  const bytes = Number(length)
  if (bytes > bodyBytesMax) throw new Refusal(413, `a body of more than ${bodyBytesMax} bytes`)
  if (bytes > 0 && headers.has('expect')) throw new Refusal(417, 'an expectation')
  return bytes
}

function wantsToKeepAlive({ headers, minorVersion }: Head): boolean {
  const options = (headers.get('connection') ?? '').toLowerCase().split(',')
  const has = (option: string) => options.some((text) => text.trim() === option)
  return minorVersion === 0 ? has('keep-alive') && !has('close') : !has('close')
}
