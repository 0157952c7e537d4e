const lengthMax = 200

/** A text of somebody else's for a message: on one line, and no longer than a message should be. */
export function quoted(text: string): string {
  const line = text.slice(0, lengthMax).replace(/[\p{C}\p{Z}]+/gu, ' ')
  return `'${line}${text.length > lengthMax ? '…' : ''}'`
}
