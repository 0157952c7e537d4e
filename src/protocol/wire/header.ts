import type { Api } from './api.ts'
import type { Reader } from './reader.ts'
import { Writer } from './writer.ts'

/*
 * Request:  size int32 · key int16 · version int16 · correlation id int32 · client id string? ·
 *           tagged fields (header 2) · the message
 * Response: size int32 · correlation id int32 · tagged fields (header 1) · the message
 *
 * The client id keeps its old, non-compact form in header 2 (KIP-482), so that a broker can read it
 * before it knows whether the version is flexible.
 */
export interface RequestHeader {
  readonly key: number
  readonly version: number
  readonly correlationId: number
  readonly clientId: string | null
}

const sizeBytes = 4
const sizeToCome = 0
/** Room for a request of one record, which is all that most of them are made of. */
const requestBytesExpected = 1024

/** Reads a header as far as every version has it; `finishRequestHeader` reads the rest. */
export function readRequestHeader(reader: Reader): RequestHeader {
  const key = reader.int16()
  const version = reader.int16()
  const correlationId = reader.int32()
  const clientIdLength = reader.int16()
  const clientId = clientIdLength < 0 ? null : reader.text(clientIdLength)
  return { key, version, correlationId, clientId }
}

/** Reads what header version 2 adds. */
export function finishRequestHeader(reader: Reader, api: Api, version: number): void {
  if (api.requestHeaderVersion(version) === 2) reader.taggedFields()
}

/** A whole request with its size before it, as chunks. */
export function encodeRequest<A extends Api>(
  api: A,
  header: Omit<RequestHeader, 'key'>,
  body: Parameters<A['request']['write']>[1],
): Uint8Array[] {
  const writer = new Writer(requestBytesExpected)
  writer.int32(sizeToCome)
  writer.int16(api.key)
  writer.int16(header.version)
  writer.int32(header.correlationId)
  if (header.clientId === null) writer.int16(-1)
  else writer.string(header.clientId, false)
  if (api.requestHeaderVersion(header.version) === 2) writer.unsignedVarint(0)
  api.request.write(writer, body, header.version)
  return withSize(writer)
}

/** A whole response with its size before it, as chunks. */
export function encodeResponse<A extends Api>(
  api: A,
  version: number,
  correlationId: number,
  body: Parameters<A['response']['write']>[1],
): Uint8Array[] {
  const writer = new Writer()
  writer.int32(sizeToCome)
  writer.int32(correlationId)
  if (api.responseHeaderVersion(version) === 1) writer.unsignedVarint(0)
  api.response.write(writer, body, version)
  return withSize(writer)
}

/** Reads a response's header; answers the correlation id. */
export function readResponseHeader(reader: Reader, api: Api, version: number): number {
  const correlationId = reader.int32()
  if (api.responseHeaderVersion(version) === 1) reader.taggedFields()
  return correlationId
}

/** Sets the size, which has its place before all else: as a chunk of its own it would make one write two. */
function withSize(writer: Writer): Uint8Array[] {
  const size = writer.bytesWritten - sizeBytes
  const chunks = writer.chunks()
  // What was written first is in a piece of the writer's own.
  const head = chunks[0] as Buffer
  head.writeInt32BE(size)
  return chunks
}
