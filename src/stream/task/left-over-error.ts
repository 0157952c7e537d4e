/** Why a record that is well is a dead letter all the same. */
export class LeftOverError extends Error {
  override readonly name: string

  constructor(why: 'late' | 'unmatched', key: string, joinTime: number) {
    const reason =
      why === 'late'
        ? `it came when its window had closed: the time had come to ${shownTime(joinTime)}`
        : `nothing came for '${key.slice(0, 100)}' that it could be joined with, until its window had closed`
    super(reason)
    this.name = why === 'late' ? 'LateRecord' : 'UnmatchedRecord'
  }
}

function shownTime(time: number): string {
  return new Date(time).toISOString()
}
