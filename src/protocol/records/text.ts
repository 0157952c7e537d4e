/*
 * Keys, header names and many values are short, and mostly ASCII. The built-in conversions cost more
 * to call than such texts have characters, so those are handled here.
 */

const shortLength = 64

/** The bytes of `text` in UTF-8. */
export function textBytes(text: string): number {
  return isShortAscii(text) ? text.length : Buffer.byteLength(text)
}

/** Writes `text` in UTF-8, which takes `byteCount` bytes; answers where it ends. */
export function putText(target: Buffer, position: number, text: string, byteCount: number): number {
  const { length } = text
  if (length > shortLength || byteCount !== length) {
    // As many bytes as characters: they are all ASCII, and Latin-1 is copied without a look at each.
    return position + target.write(text, position, byteCount === length ? 'latin1' : 'utf8')
  }
  for (let index = 0; index < length; index++) target[position++] = text.charCodeAt(index)
  return position
}

function isShortAscii(text: string): boolean {
  const { length } = text
  if (length > shortLength) return false
  for (let index = 0; index < length; index++) {
    if (text.charCodeAt(index) > 0x7f) return false
  }
  return true
}
