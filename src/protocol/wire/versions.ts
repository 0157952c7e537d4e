/** The versions from `first` to `last`, both included. Empty when `first` is above `last`. */
export interface VersionRange {
  readonly first: number
  readonly last: number
}

const none: VersionRange = { first: 1, last: 0 }

/** Reads `'0+'`, `'3-5'`, `'7'` or `'none'`. */
export function versionRange(text: string | undefined): VersionRange {
  if (text === undefined || text === 'none') return none
  const match = /^(\d+)(?:(\+)|-(\d+))?$/.exec(text)
  if (match === null)
    throw new TypeError(`versions (${text}) must be like '0+', '3-5', '7' or 'none'`)
  const first = Number(match[1])
  if (match[2] === '+') return { first, last: 0x7fff }
  return { first, last: match[3] === undefined ? first : Number(match[3]) }
}

export function includes(range: VersionRange, version: number): boolean {
  return version >= range.first && version <= range.last
}
