/** The framing of the Kafka protocol: four bytes of length, then the content. */

/** A function that takes chunks of a stream and calls `whole` with each frame's content. */
export function frameReader(whole: (content: Buffer) => void): (chunk: Buffer) => void {
  let received: Buffer = Buffer.alloc(0)
  return (chunk) => {
    received = received.length === 0 ? chunk : Buffer.concat([received, chunk])
    while (received.length >= 4) {
      const end = 4 + received.readInt32BE(0)
      if (received.length < end) return
      const content = received.subarray(4, end)
      received = received.subarray(end)
      whole(content)
    }
  }
}

/** The bytes of a frame with this content. */
export function frameOf(content: Uint8Array): Buffer {
  const length = Buffer.alloc(4)
  length.writeInt32BE(content.length)
  return Buffer.concat([length, content])
}
