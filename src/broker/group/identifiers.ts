import type { Random } from '../../platform/index.ts'

/** What stands for a topic id where a client has named the topic instead. */
export const noTopicId = 'A'.repeat(22)

/**
 * A longer client id would make a member id that the protocol cannot carry: the client could not be
 * answered, and the group could not be written.
 */
const prefixLengthMax = 1000

/** The id of a new member of a classic group: its client or instance id, and a UUID. */
export function classicMemberId(random: Random, prefix: string): string {
  return `${prefix.slice(0, prefixLengthMax)}-${hexadecimalUuid(random)}`
}

/** A UUID in Kafka's own form, for members of consumer groups that bring no id. */
export function consumerMemberId(random: Random): string {
  return Buffer.from(uuidBytes(random)).toString('base64url')
}

function hexadecimalUuid(random: Random): string {
  const hex = Buffer.from(uuidBytes(random)).toString('hex')
  const parts = [
    hex.slice(0, 8),
    hex.slice(8, 12),
    hex.slice(12, 16),
    hex.slice(16, 20),
    hex.slice(20),
  ]
  return parts.join('-')
}

/** Sixteen random bytes but for the bits that say so (RFC 9562, version 4). */
function uuidBytes(random: Random): Uint8Array {
  const bytes = Uint8Array.from(random.bytes(16))
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80
  return bytes
}
