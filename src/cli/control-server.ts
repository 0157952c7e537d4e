import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { MillraceError, OptionError } from '../errors.ts'

/** What a control is given: the parts of its path that have names, and what was sent along. */
export interface ControlRequest {
  readonly path: Readonly<Record<string, string>>
  /** The body of a POST, or the query of a GET. */
  readonly values: Readonly<Record<string, unknown>>
}

/** Something that can be asked for over HTTP. */
export interface Control {
  readonly method: 'GET' | 'POST' | 'DELETE'
  /** `/nodes/:id/stop`. */
  readonly path: string
  readonly help: string
  /** What is answered, as JSON; undefined for nothing. */
  run(request: ControlRequest): unknown
}

export interface ControlServer {
  readonly port: number
  close(): Promise<void>
}

const bodyBytesMax = 64 * 1024

/**
 * Serves controls as JSON on 127.0.0.1. Whoever reaches it may do everything, so that it listens nowhere
 * else and takes nothing that a web page could send: no foreign host, no origin, no other content type.
 */
export async function startControlServer(
  port: number,
  controls: readonly Control[],
): Promise<ControlServer> {
  const server = http.createServer((request, response) => {
    void answer(request, controls).then(({ status, body }) => {
      response.writeHead(status, { 'content-type': 'application/json' })
      response.end(body === undefined ? '{}\n' : `${JSON.stringify(body)}\n`)
    })
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) => {
      const problem = `(${port}) cannot be listened on: ${cause.message}`
      reject(new OptionError('--control', problem, { cause }))
    })
    server.listen({ port, host: '127.0.0.1', exclusive: true }, resolve)
  })
  return {
    port: (server.address() as AddressInfo).port,
    close() {
      server.closeAllConnections()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
}

interface Answer {
  readonly status: number
  readonly body?: unknown
}

async function answer(
  request: http.IncomingMessage,
  controls: readonly Control[],
): Promise<Answer> {
  if (!isLocal(request))
    return { status: 403, body: { error: 'only for programs on this machine' } }
  const { method = '', url = '/' } = request
  const { pathname, searchParams } = new URL(url, 'http://localhost')
  if (method === 'GET' && pathname === '/') return { status: 200, body: listOf(controls) }
  const ofPath = controls.flatMap((control) => {
    const path = matchPath(control.path, pathname)
    return path === undefined ? [] : [{ control, path }]
  })
  const found = ofPath.find(({ control }) => control.method === method)
  if (found === undefined) {
    const status = ofPath.length > 0 ? 405 : 404
    return { status, body: { error: `${method} ${pathname} is not known; GET / lists what is` } }
  }
  try {
    const values = method === 'POST' ? await readBody(request) : Object.fromEntries(searchParams)
    return { status: 200, body: await found.control.run({ path: found.path, values }) }
  } catch (error) {
    if (!(error instanceof MillraceError)) throw error
    return { status: 400, body: { error: error.message } }
  }
}

/** A page in a browser has an origin, and after a trick with names another host. */
function isLocal({ headers, method }: http.IncomingMessage): boolean {
  const host = (headers.host ?? '').replace(/:\d+$/, '')
  const isJson =
    method !== 'POST' || headers['content-type']?.startsWith('application/json') === true
  return headers.origin === undefined && ['127.0.0.1', 'localhost'].includes(host) && isJson
}

function listOf(controls: readonly Control[]): unknown {
  return controls.map(({ method, path, help }) => ({ control: `${method} ${path}`, help }))
}

function matchPath(pattern: string, path: string): Record<string, string> | undefined {
  const names = pattern.split('/')
  const parts = path.split('/')
  if (names.length !== parts.length) return undefined
  const found: Record<string, string> = {}
  for (const [index, name] of names.entries()) {
    const part = parts[index] ?? ''
    if (name.startsWith(':')) found[name.slice(1)] = decodeURIComponent(part)
    else if (name !== part) return undefined
  }
  return found
}

async function readBody(request: http.IncomingMessage): Promise<Record<string, unknown>> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > bodyBytesMax)
      throw new OptionError('body', `must have ${bodyBytesMax} bytes at most`)
    chunks.push(chunk)
  }
  const text = Buffer.concat(chunks).toString('utf8')
  if (text.trim() === '') return {}
  const value = parseJson(text)
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new OptionError('body', 'must be a JSON object')
  }
  return value as Record<string, unknown>
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new OptionError('body', `is not JSON: ${(cause as Error).message}`, { cause })
  }
}
