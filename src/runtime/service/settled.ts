/** What a handler answers is ignored, but that it is waited for: without a promise where it answers none. */
export function settled(answer: unknown): Promise<undefined> | undefined {
  return isThenable(answer) ? Promise.resolve(answer).then(nothing) : undefined
}

function isThenable(answer: unknown): answer is PromiseLike<unknown> {
  return typeof (answer as { then?: unknown } | null | undefined)?.then === 'function'
}

function nothing(): undefined {
  return undefined
}
