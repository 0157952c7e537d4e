/** From this length on the call of a built-in copy costs less than a loop over the bytes. */
const longBytes = 48

/**
 * Repeats `length` bytes that start `distance` bytes back, as all Lempel-Ziv formats mean it: where
 * the two overlap, the bytes just written are read again. The caller has checked the bounds.
 */
export function copyMatch(
  target: Uint8Array,
  position: number,
  distance: number,
  length: number,
): void {
  if (length < longBytes) {
    const end = position + length
    for (let from = position - distance; position < end;) {
      target[position++] = target[from++] as number
    }
  } else if (distance >= length) {
    target.copyWithin(position, position - distance, position - distance + length)
  } else {
    repeatPattern(target, position, distance, length)
  }
}

/** Doubles what is repeated with each copy, so that a run of one byte takes few copies. */
function repeatPattern(
  target: Uint8Array,
  position: number,
  distance: number,
  length: number,
): void {
  const start = position - distance
  const end = position + length
  while (position < end) {
    const copied = Math.min(position - start, end - position)
    target.copyWithin(position, start, start + copied)
    position += copied
  }
}

/** Copies `length` bytes that do not overlap. The caller has checked the bounds. */
export function copyLiterals(
  source: Uint8Array,
  from: number,
  target: Uint8Array,
  position: number,
  length: number,
): void {
  if (length < longBytes) {
    const end = from + length
    while (from < end) target[position++] = source[from++] as number
  } else {
    target.set(source.subarray(from, from + length), position)
  }
}
