/** A stretch of time, from `start` on and before `end`. */
export interface TimeWindow {
  readonly start: number
  readonly end: number
}

/** How events are put together by their time. */
export type Windowing =
  | { readonly kind: 'spaced'; readonly sizeMs: number; readonly everyMs: number }
  | { readonly kind: 'session'; readonly gapMs: number }

/** The windows that an event belongs to, the earliest first. */
export function windowsOf(
  { sizeMs, everyMs }: Extract<Windowing, { kind: 'spaced' }>,
  time: number,
): TimeWindow[] {
  const windows: TimeWindow[] = []
  const last = time - (time % everyMs)
  const first = Math.max(0, last - Math.floor((sizeMs - 1) / everyMs) * everyMs)
  for (let start = first; start <= last; start += everyMs) {
    if (time < start + sizeMs) windows.push({ start, end: start + sizeMs })
  }
  return windows
}
