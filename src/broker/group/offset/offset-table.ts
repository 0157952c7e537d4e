/** Values by group, topic and partition. Empty levels are removed. */
export class OffsetTable<Value> {
  readonly #groups = new Map<string, Map<string, Map<number, Value>>>()

  groups(): Iterable<string> {
    return this.#groups.keys()
  }

  hasGroup(group: string): boolean {
    return this.#groups.has(group)
  }

  get(group: string, topic: string, partition: number): Value | undefined {
    return this.#groups.get(group)?.get(topic)?.get(partition)
  }

  partitions(group: string, topic: string): Iterable<number> {
    return this.#groups.get(group)?.get(topic)?.keys() ?? []
  }

  *entries(group: string): Iterable<[topic: string, partition: number, Value]> {
    for (const [topic, partitions] of this.#groups.get(group) ?? []) {
      for (const [partition, value] of partitions) yield [topic, partition, value]
    }
  }

  set(group: string, topic: string, partition: number, value: Value): void {
    let topics = this.#groups.get(group)
    if (topics === undefined)
      this.#groups.set(group, (topics = new Map<string, Map<number, Value>>()))
    let partitions = topics.get(topic)
    if (partitions === undefined) topics.set(topic, (partitions = new Map<number, Value>()))
    partitions.set(partition, value)
  }

  delete(group: string, topic: string, partition: number): void {
    const topics = this.#groups.get(group)
    const partitions = topics?.get(topic)
    if (topics === undefined || partitions === undefined) return
    partitions.delete(partition)
    if (partitions.size === 0) topics.delete(topic)
    if (topics.size === 0) this.#groups.delete(group)
  }
}
