export type {
  Clock,
  ConnectOptions,
  DeriveKeyOptions,
  Disk,
  DiskErrorReason,
  DiskFile,
  DiskLock,
  Endpoint,
  Listener,
  ListenOptions,
  Network,
  NetworkErrorReason,
  Offload,
  PathStatus,
  Platform,
  Random,
  Socket,
  SocketHandler,
  Timer,
  TlsClientOptions,
  TlsServerOptions,
} from './platform.ts'
export { DiskError, isDiskError } from './disk-error.ts'
export { isNetworkError, NetworkError } from './network-error.ts'
export { createNodePlatform } from './node.ts'
export { readProcessUsage } from './process-usage.ts'
export type { ProcessUsage } from './process-usage.ts'
export { writeStandardError } from './standard-error.ts'
