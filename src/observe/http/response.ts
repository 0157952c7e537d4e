/** What is answered to a request. */
export interface HttpResponse {
  readonly status: number
  readonly contentType: string
  readonly body: string | Uint8Array
}

interface ResponseOptions {
  readonly response: HttpResponse
  /** Milliseconds since the epoch. */
  readonly nowMs: number
  /** Whether the body is left out: its length is told all the same. */
  readonly headOnly: boolean
  readonly keepAlive: boolean
  /** Further header lines, such as `Allow: GET`. */
  readonly headers?: readonly string[]
}

const reasons: Readonly<Record<number, string>> = {
  200: 'OK',
  400: 'Bad Request',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  408: 'Request Timeout',
  411: 'Length Required',
  413: 'Content Too Large',
  414: 'URI Too Long',
  417: 'Expectation Failed',
  431: 'Request Header Fields Too Large',
  500: 'Internal Server Error',
  501: 'Not Implemented',
  503: 'Service Unavailable',
  505: 'HTTP Version Not Supported',
}

/** A response that is a line of text. */
export function textResponse(status: number, text: string): HttpResponse {
  return { status, contentType: 'text/plain; charset=utf-8', body: `${text}\n` }
}

/** The bytes of a response. */
export function responseBytes(options: ResponseOptions): Buffer[] {
  const { response, nowMs, headOnly, keepAlive, headers = [] } = options
  const { status, contentType } = response
  const body =
    typeof response.body === 'string' ? Buffer.from(response.body) : Buffer.from(response.body)
  const lines = [
    `HTTP/1.1 ${status} ${reasons[status] ?? ''}`,
    `Date: ${new Date(nowMs).toUTCString()}`,
    `Connection: ${keepAlive ? 'keep-alive' : 'close'}`,
    `Content-Type: ${contentType}`,
    `Content-Length: ${body.length}`,
    'Cache-Control: no-store',
    'X-Content-Type-Options: nosniff',
    ...headers,
  ]
  const head = Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1')
  return headOnly || body.length === 0 ? [head] : [head, body]
}
