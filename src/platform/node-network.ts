import net from 'node:net'
import type { SecureContext, TLSSocket } from 'node:tls'
import { builtin } from './builtin.ts'
import { NetworkError } from './network-error.ts'
import { endpointText, networkError } from './node-network-error.ts'
import { endpoint, NodeSocket } from './node-socket.ts'
import type {
  ConnectOptions,
  Endpoint,
  Listener,
  ListenOptions,
  Network,
  Socket,
  TlsClientOptions,
  TlsServerOptions,
} from './platform.ts'

/** TCP and TLS of this machine. */
export const nodeNetwork: Network = { connect, listen }

/** When the other side has ended, answers that are queued still go out. */
const streamOptions = { allowHalfOpen: true } as const

/** A client that connects and then says nothing holds memory for this long. */
const handshakeTimeoutMs = 10_000

function connect(options: ConnectOptions): Promise<Socket> {
  const { host, port, timeoutMs, tls, signal } = options
  const failed = `cannot connect to ${endpointText(options)}`
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted()
    const stream = attempt(failed, () => openStream(options))
    const settle = (): void => {
      clearTimeout(timeout)
      signal?.removeEventListener('abort', onAbort)
      stream.off('error', onError)
    }
    const fail = (error: Error): void => {
      settle()
      stream.on('error', () => undefined)
      stream.destroy()
      reject(error)
    }
    const onError = (error: Error): void => fail(networkError(failed, error))
    const onAbort = (): void => fail(signal?.reason as Error)
    const timeout = setTimeout(() => {
      fail(new NetworkError('timeout', `${failed}: no answer within ${timeoutMs} ms`))
    }, timeoutMs)
    signal?.addEventListener('abort', onAbort, { once: true })
    stream.on('error', onError)
    stream.once(tls === undefined ? 'connect' : 'secureConnect', () => {
      settle()
      resolve(new NodeSocket(stream, endpoint(stream.remoteAddress ?? host, port)))
    })
  })
}

/** Options that Node refuses (a certificate that cannot be read, a port out of range). */
function attempt<Result>(failed: string, open: () => Result): Result {
  try {
    return open()
  } catch (error) {
    throw networkError(failed, error)
  }
}

function openStream({ host, port, tls }: ConnectOptions): net.Socket {
  if (tls === undefined) return net.connect({ ...streamOptions, host, port })
  const { serverName } = tls
  const { connect: connectTls, checkServerIdentity } = builtin.tls()
  return connectTls({
    ...streamOptions,
    host,
    port,
    secureContext: clientContext(tls),
    // An address may not be sent as a server name, but the certificate is checked against it.
    ...(net.isIP(serverName) === 0 ? { servername: serverName } : {}),
    checkServerIdentity: (_host, certificate) => checkServerIdentity(serverName, certificate),
  })
}

const clientContexts = new WeakMap<TlsClientOptions, SecureContext>()

/** Reading certificates takes milliseconds; a client connects again and again with the same ones. */
function clientContext(options: TlsClientOptions): SecureContext {
  const known = clientContexts.get(options)
  if (known !== undefined) return known
  const made = builtin.tls().createSecureContext({
    ca: options.authorities && [...options.authorities],
    cert: options.certificate,
    key: options.privateKey,
    passphrase: options.passphrase,
  })
  clientContexts.set(options, made)
  return made
}

function listen(options: ListenOptions): Promise<Listener> {
  const { host, port, tls } = options
  const failed = `cannot listen on ${endpointText(options)}`
  return new Promise((resolve, reject) => {
    const onError = (error: Error): void => reject(networkError(failed, error))
    const onListening = (): void => {
      server.off('error', onError)
      server.on('error', (error) => {
        options.refused?.(nowhere, networkError('cannot accept a connection', error))
      })
      resolve(new NodeListener(server))
    }
    const server = attempt(failed, () => {
      const made = tls === undefined ? plainServer(options) : tlsServer(options, tls)
      return made.once('error', onError).listen({ host, port, exclusive: true }, onListening)
    })
  })
}

/** Of a connection that the system could not even hand over (it has too many files open). */
const nowhere: Endpoint = { host: '', port: 0 }

class NodeListener implements Listener {
  readonly local: Endpoint
  readonly #server: net.Server

  constructor(server: net.Server) {
    const address = server.address() as net.AddressInfo
    this.local = endpoint(address.address, address.port)
    this.#server = server
  }

  /** Node's own callback would wait for the accepted sockets; the port is free at once. */
  close(): Promise<void> {
    this.#server.close()
    return Promise.resolve()
  }
}

function plainServer(options: ListenOptions): net.Server {
  return net.createServer(streamOptions, (stream) => {
    options.accept(new NodeSocket(stream, remoteOf(stream)))
  })
}

function tlsServer(options: ListenOptions, tls: TlsServerOptions): net.Server {
  const server = builtin.tls().createServer({
    ...streamOptions,
    handshakeTimeout: handshakeTimeoutMs,
    cert: tls.certificate,
    key: tls.privateKey,
    passphrase: tls.passphrase,
    ca: tls.authorities && [...tls.authorities],
    requestCert: tls.clientCertificate !== 'none',
    rejectUnauthorized: tls.clientCertificate === 'required',
  })
  server.on('secureConnection', (stream: TLSSocket) => {
    // A handshake that was under way when the listener closed.
    if (!server.listening) stream.destroy()
    else options.accept(new NodeSocket(stream, remoteOf(stream)))
  })
  server.on('tlsClientError', (error: Error, stream: TLSSocket) => {
    const remote = remoteOf(carrierOf(stream))
    options.refused?.(remote, handshakeError(remote, error, stream))
  })
  // Node reads the address when it is first asked for it, and a closed connection has none.
  server.prependListener('connection', remoteOf)
  return server
}

/** Node hangs up on a certificate it does not accept, and reports no more than that it hung up. */
function handshakeError(remote: Endpoint, error: Error, stream: TLSSocket): NetworkError {
  const failed = `no TLS connection with ${endpointText(remote)}`
  // A code, whatever its type says; absent where the handshake did not get that far.
  const refusal = stream.authorizationError as unknown as string | null | undefined
  if (typeof refusal !== 'string') return networkError(failed, error)
  return new NetworkError('tls', `${failed}: its certificate is not accepted (${refusal})`, {
    cause: error,
  })
}

/** The connection under a TLS socket. Node has no public name for it; without it we lose the address. */
function carrierOf(stream: TLSSocket): net.Socket {
  return (stream as TLSSocket & { readonly _parent?: net.Socket })._parent ?? stream
}

function remoteOf(stream: net.Socket): Endpoint {
  return endpoint(stream.remoteAddress, stream.remotePort)
}
