/** A record that its contract allows and that a flow cannot work. */
export class StreamViolation extends Error {
  override readonly name = 'StreamViolation'
}
