/*
 * Header names are short, mostly ASCII, and the same in every record. The built-in conversions cost
 * more to call than such names have characters, so those are handled here.
 */

const shortLength = 64

/** Names that were read before. A slot holds the last one that fell on it. */
const knownNames: string[] = new Array<string>(256).fill('')

/** The bytes of `name` in UTF-8. */
export function headerNameBytes(name: string): number {
  return isShortAscii(name) ? name.length : Buffer.byteLength(name)
}

/** Writes `name` in UTF-8; answers where it ends. */
export function putHeaderName(target: Buffer, position: number, name: string): number {
  if (!isShortAscii(name)) return position + target.write(name, position, 'utf8')
  for (let index = 0; index < name.length; index++) target[position++] = name.charCodeAt(index)
  return position
}

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

function isShortAscii(text: string): boolean {
  if (text.length > shortLength) return false
  for (let index = 0; index < text.length; index++) {
    if (text.charCodeAt(index) > 0x7f) return false
  }
  return true
}
