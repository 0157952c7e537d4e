/*
 * Header names are short, mostly ASCII, and the same in every record. To read them with the built-in
 * conversion costs more than they have characters, so those that were read before are kept.
 */

const shortLength = 64

/** Names that were read before. A slot holds the last one that fell on it. */
const knownNames: string[] = new Array<string>(256).fill('')

/** The name whose UTF-8 lies from `start` to `end`. A name that was read before is not made again. */
export function readHeaderName(bytes: Buffer, start: number, end: number): string {
  const length = end - start
  if (length === 0 || length > shortLength) return bytes.toString('utf8', start, end)
  const first = bytes[start] as number
  const last = bytes[end - 1] as number
  const slot = (first + 7 * last + 31 * length) & (knownNames.length - 1)
  const known = knownNames[slot] as string
  if (isHeaderName(bytes, start, end, known)) return known
  return (knownNames[slot] = bytes.toString('utf8', start, end))
}

/** Whether the UTF-8 from `start` to `end` is `name`. */
export function isHeaderName(bytes: Buffer, start: number, end: number, name: string): boolean {
  if (end - start < name.length) return false
  for (let index = 0; index < name.length; index++) {
    const unit = name.charCodeAt(index)
    if (unit > 0x7f) return bytes.toString('utf8', start, end) === name
    if (bytes[start + index] !== unit) return false
  }
  return end - start === name.length
}
