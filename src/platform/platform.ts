/**
 * The seam between the library and everything that is not pure. The real world is `node.ts`; the
 * simulator implements the same five parts with virtual time, a seeded network and a disk that can
 * lose what was not synced. Code above this seam runs in both without knowing which.
 */
export interface Platform {
  readonly clock: Clock
  readonly random: Random
  readonly network: Network
  readonly disk: Disk
  readonly offload: Offload
}

/** A timer that has been set. Cancelling a timer that has fired or was cancelled does nothing. */
export interface Timer {
  cancel(): void
}

export interface Clock {
  /** Milliseconds since the epoch, as a whole number. May step backwards: never measure with it. */
  now(): number
  /** Milliseconds since some fixed moment, with fractions. Never steps backwards. */
  elapsedMs(): number
  /** Calls `callback` once, `delayMs` from now. A pending timer does not keep the process alive. */
  setTimer(delayMs: number, callback: () => void): Timer
  /**
   * Resolves after `delayMs`, and keeps the process alive meanwhile. Rejects with the signal's
   * reason when `signal` aborts first.
   */
  sleep(delayMs: number, signal?: AbortSignal): Promise<void>
  /** Calls `callback` after the input that is already waiting was handled; before any later timer. */
  defer(callback: () => void): void
}

export interface Random {
  /** `length` bytes, fit for keys and nonces in the real world. */
  bytes(length: number): Uint8Array
  /** A whole number from 0 up to, not including, `bound` (at most 2^48). Not fit for secrets. */
  integer(bound: number): number
  /** A number from 0 up to, not including, 1. */
  fraction(): number
}

/** Where a socket ends. `host` is an address as text, without brackets. */
export interface Endpoint {
  readonly host: string
  readonly port: number
}

export interface TlsClientOptions {
  /** The name the certificate must be valid for, also sent as SNI. */
  readonly serverName: string
  /** PEM. Absent: the well-known certificate authorities. */
  readonly authorities?: readonly string[]
  readonly certificate?: string
  readonly privateKey?: string
  readonly passphrase?: string
}

export interface TlsServerOptions {
  readonly certificate: string
  readonly privateKey: string
  readonly passphrase?: string
  /** PEM. Given: clients are asked for a certificate signed by one of these. */
  readonly authorities?: readonly string[]
  /** Whether a client without a valid certificate is refused. Needs `authorities`. */
  readonly clientCertificate: 'none' | 'requested' | 'required'
}

/**
 * What a socket tells its owner. No method is called before `Socket.start`, none after `closed`,
 * which is called exactly once.
 */
export interface SocketHandler {
  /** The chunk is the handler's to keep; nobody writes to it afterwards. */
  data(chunk: Buffer): void
  /** `queuedBytes` has fallen to zero after `write` had answered false. */
  drained(): void
  /**
   * The other side sends no more. The socket closes by itself after this call, once everything that
   * was written until then is sent.
   */
  ended(): void
  /** The socket is gone; `error` says why when it was not closed in order. */
  closed(error: Error | undefined): void
}

export interface Socket {
  readonly local: Endpoint
  readonly remote: Endpoint
  /** The distinguished name of the verified peer certificate, `CN=…,O=…` as RFC 2253 writes it. */
  readonly peerName: string | undefined
  readonly encrypted: boolean
  /** Bytes handed to `write` that the system has not taken yet. */
  readonly queuedBytes: number
  /** Starts the flow of data to `handler`. Call it once. */
  start(handler: SocketHandler): void
  /**
   * Queues all chunks, in order, as one write. The socket owns the chunks until they are sent.
   * Answers false when the writer should wait for `drained`. After the socket has closed the
   * chunks are dropped.
   *
   * `sent` is called when the system has taken them all and nobody looks at them any more. It need
   * not be called: a socket that closes does not, nor one that hands its chunks on.
   */
  write(chunks: readonly Uint8Array[], sent?: () => void): boolean
  pause(): void
  resume(): void
  /** Sends what is queued, then closes. What still arrives is dropped. */
  end(): void
  /** Closes at once; what is queued may be lost. */
  destroy(error?: Error): void
}

export interface ConnectOptions extends Endpoint {
  readonly timeoutMs: number
  readonly tls?: TlsClientOptions
  readonly signal?: AbortSignal
}

export interface ListenOptions extends Endpoint {
  readonly tls?: TlsServerOptions
  /** Called for each connection; with TLS, once the handshake has succeeded. */
  readonly accept: (socket: Socket) => void
  /**
   * Called for a connection that failed before it was accepted (a failed TLS handshake). The host
   * is empty where the system does not say whose it was.
   */
  readonly refused?: (remote: Endpoint, error: Error) => void
}

export interface Listener {
  /** Where it listens; with port 0 asked for, the port that was given. */
  readonly local: Endpoint
  /** Stops accepting. Accepted sockets stay open. */
  close(): Promise<void>
}

export type NetworkErrorReason =
  | 'refused'
  | 'reset'
  | 'timeout'
  | 'unreachable'
  | 'name-not-found'
  | 'address-in-use'
  | 'address-not-available'
  | 'denied'
  | 'tls'
  | 'failed'

/** What fails, fails with a `NetworkError`; an aborted `connect` with the reason of its signal. */
export interface Network {
  connect(options: ConnectOptions): Promise<Socket>
  listen(options: ListenOptions): Promise<Listener>
}

/** What `Disk.status` knows of a path. */
export interface PathStatus {
  readonly kind: 'file' | 'directory'
  readonly size: number
}

/**
 * A file opened for reading and writing. Reading, writing and truncating go to the page cache and
 * return at once; only `sync` makes them survive a power failure.
 */
export interface DiskFile {
  readonly path: string
  size(): number
  /** Reads up to `target.length` bytes from `position`; answers how many there were. */
  read(target: Uint8Array, position: number): number
  /** Writes all chunks, in order, from `position` on. Throws a `DiskError` when it cannot. */
  write(chunks: readonly Uint8Array[], position: number): void
  truncate(size: number): void
  /**
   * Resolves once everything written before the call is on stable storage. When it rejects, what
   * was written since the last one may be lost whatever is called later: all further ones reject.
   */
  sync(): Promise<void>
  /** Does not sync. Calls after it throw, but for another `close`. */
  close(): void
}

export type DiskErrorReason = 'full' | 'read-only' | 'not-found' | 'denied' | 'exists' | 'failed'

/**
 * The files of this process. Paths are absolute, or relative to the working directory. Operations
 * are synchronous because the page cache answers in microseconds; `sync` is not, because a disk
 * does not. What fails, fails with a `DiskError`.
 */
export interface Disk {
  /** Opens for reading and writing; `create` makes an empty file when there is none. */
  open(path: string, mode: 'existing' | 'create'): DiskFile
  /** Entry names, sorted. */
  list(path: string): string[]
  /** Undefined when nothing is there. */
  status(path: string): PathStatus | undefined
  /** Makes the directory and the ones above it; does nothing for those that are there. */
  makeDirectory(path: string): void
  /** Removes a file or an empty directory. An open file can be used until it is closed. */
  remove(path: string): void
  /** Moves a file or directory. A file that is at `to` is replaced, at one moment. */
  rename(from: string, to: string): void
  /** Makes the entries of a directory (created, renamed, removed) survive a power failure. */
  syncDirectory(path: string): Promise<void>
  /**
   * Takes an exclusive lock that ends with this process however it ends. Answers undefined when
   * another living process holds it.
   */
  lock(path: string): DiskLock | undefined
}

export interface DiskLock {
  release(): void
}

/**
 * Work that is finished on other threads in the real world. In the simulator it is done at once
 * and its result arrives at a virtual time.
 */
export interface Offload {
  gzip(input: Uint8Array, level: number): Promise<Buffer>
  /** Rejects when the output would exceed `outputBytesMax`. */
  gunzip(input: Uint8Array, outputBytesMax: number): Promise<Buffer>
  /** PBKDF2 with HMAC of the given hash. */
  deriveKey(options: DeriveKeyOptions): Promise<Buffer>
}

export interface DeriveKeyOptions {
  readonly password: string
  readonly salt: Uint8Array
  readonly iterations: number
  readonly keyBytes: number
  readonly hash: 'sha256' | 'sha512'
}
