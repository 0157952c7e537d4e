/**
 * Modules of Node that cost milliseconds to load and are not needed by every process. Each is
 * loaded by its first use, synchronously, and kept by Node itself.
 */
export const builtin = {
  tls: () => process.getBuiltinModule('node:tls'),
  zlib: () => process.getBuiltinModule('node:zlib'),
  crypto: () => process.getBuiltinModule('node:crypto'),
}

/** The code that Node gives to the error of a failed system call, such as `ENOENT`. */
export function systemErrorCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined
  return typeof error.code === 'string' ? error.code : undefined
}

/** What the system says about an error, without the call and path that Node adds to it. */
export function systemErrorText(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const detail = /^[A-Z0-9_]+: ([^,]+)/.exec(error.message)
  return detail?.[1] ?? (error.message === '' ? error.name : error.message)
}
