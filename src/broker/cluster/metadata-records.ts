import type { StateRecord } from '../coordinator-log.ts'
import type { SettingKind } from './cluster.ts'

/*
 * The records of the cluster's own log. Keys and values are JSON: they are few, they are read once
 * at start, and whoever looks into a data folder can read them. A null value deletes.
 *
 *   {"cluster":true}                          → {"id","starts"}
 *   {"topic":"<id>"}                          → {"name","overrides","partitions"}
 *   {"settings":"scram","name":"alice"}       → {"SCRAM-SHA-256":"…"}
 */
export interface StoredPartition {
  readonly replicas: readonly number[]
  /** The leader epoch, less what all starts until then had raised it by. */
  readonly epochBase: number
}

export interface StoredTopic {
  readonly name: string
  readonly overrides: Readonly<Record<string, string>>
  readonly partitions: readonly StoredPartition[]
}

export interface StoredCluster {
  readonly id: string
  /** How often the cluster was started: with each start, every leader epoch goes up. */
  readonly starts: number
}

export type MetadataKey =
  | { readonly cluster: true }
  | { readonly topic: string }
  | { readonly settings: SettingKind; readonly name: string }

function record(key: MetadataKey, value: object | null): StateRecord {
  return {
    key: Buffer.from(JSON.stringify(key)),
    value: value === null ? null : Buffer.from(JSON.stringify(value)),
  }
}

export function clusterRecord(value: StoredCluster): StateRecord {
  return record({ cluster: true }, value)
}

export function topicRecord(id: string, value: StoredTopic | null): StateRecord {
  return record({ topic: id }, value)
}

export function settingsRecord(
  kind: SettingKind,
  name: string,
  settings: ReadonlyMap<string, string>,
): StateRecord {
  const value = settings.size === 0 ? null : Object.fromEntries(settings)
  return record({ settings: kind, name }, value)
}

export interface MetadataReader {
  cluster(value: StoredCluster): void
  topic(id: string, value: StoredTopic | null): void
  settings(kind: SettingKind, name: string, settings: ReadonlyMap<string, string>): void
}

/** Hands a record to the method that it is for. */
export function readMetadataRecord({ key, value }: StateRecord, reader: MetadataReader): void {
  const parsedKey = JSON.parse(key.toString()) as MetadataKey
  const parsed: unknown = value === null ? null : JSON.parse(value.toString())
  if ('topic' in parsedKey) reader.topic(parsedKey.topic, parsed as StoredTopic | null)
  else if ('settings' in parsedKey) {
    const settings = new Map(Object.entries((parsed ?? {}) as Record<string, string>))
    reader.settings(parsedKey.settings, parsedKey.name, settings)
  } else if (parsed !== null) reader.cluster(parsed as StoredCluster)
}
