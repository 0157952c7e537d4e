/** What is there at once where nothing asynchronous is involved, so that it costs no microtask. */
export type Awaitable<Value> = Value | Promise<Value>

/** Goes on with a value now, or when it is there. */
export function whenDone<Value, Result>(
  value: Awaitable<Value>,
  next: (value: Value) => Awaitable<Result>,
): Awaitable<Result> {
  return value instanceof Promise ? value.then(next) : next(value)
}
