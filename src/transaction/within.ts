/** What a call answers, unless nobody waits for it any more: then its reason, while the call itself goes on. */
export function within<Value>(
  signal: AbortSignal | undefined,
  call: Promise<Value>,
): Promise<Value> {
  if (signal === undefined) return call
  return new Promise((resolve, reject) => {
    const stop = () => reject(signal.reason as Error)
    if (signal.aborted) stop()
    else signal.addEventListener('abort', stop, { once: true })
    const end = () => signal.removeEventListener('abort', stop)
    call.then(resolve, reject).finally(end)
  })
}
