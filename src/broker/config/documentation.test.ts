import { describe, expect, it } from 'vitest'
import { createBrokerConfig } from './broker-config.ts'
import { describeBroker, describeClientMetrics, describeGroup, describeTopic } from './describe.ts'
import type { ConfigEntry } from './describe.ts'

const config = createBrokerConfig({ properties: new Map(), nodeIds: [1] })
const nothing = new Map<string, string>()

function documentationIn(entries: readonly ConfigEntry[], name: string) {
  return entries.find((entry) => entry.name === name)?.documentation
}

describe('documentation', () => {
  it('is a sentence or more for every property', () => {
    const entries = [
      ...describeTopic(nothing, config, 1),
      ...describeBroker(config, 1),
      ...describeGroup(nothing, config),
      ...describeClientMetrics(nothing),
    ]
    expect(entries.length).toBeGreaterThan(300)
    const lacking = entries.filter(
      ({ documentation }) => !/^[A-Z].{20,}\.$/.test(documentation ?? ''),
    )
    expect(lacking.map(({ name }) => name)).toEqual([])
  })

  it('says what the embedded broker makes of a property', () => {
    const ofTopic = describeTopic(nothing, config, 1)
    const ofBroker = describeBroker(config, 1)
    expect(documentationIn(ofTopic, 'segment.ms')).not.toContain('embedded broker')
    expect(documentationIn(ofTopic, 'flush.ms')).toMatch(/without effect in the embedded broker\.$/)
    expect(documentationIn(ofBroker, 'num.partitions')).not.toContain('embedded broker')
    expect(documentationIn(ofBroker, 'num.io.threads')).toMatch(/without effect in the embedded/)
    expect(documentationIn(ofBroker, 'listeners')).toMatch(/is said by the broker's own options\.$/)
    expect(documentationIn(ofBroker, 'authorizer.class.name')).toMatch(/Java class/)
  })

  it('is null for a property that nobody knows', () => {
    const ofPlugIn = createBrokerConfig({ properties: new Map(), nodeIds: [1] })
    const settings = new Map([['plug.in', 'on']])
    ofPlugIn.reload({ dynamicSettings: (_, name) => (name === '' ? settings : nothing) })
    expect(documentationIn(describeBroker(ofPlugIn, 1), 'plug.in')).toBeNull()
  })
})
