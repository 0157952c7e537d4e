/** The embedded broker in a process of its own, so that it can be killed: `PORT` and `DATA` say where it is. It says its address. */
import { startBroker } from '../../src/testing/index.ts'

const broker = await startBroker({
  port: Number(process.env['PORT'] ?? 0),
  data: process.env['DATA'] ?? '',
  // Who cannot leave its group is noticed soon.
  properties: {
    'group.initial.rebalance.delay.ms': '0',
    'group.min.session.timeout.ms': '500',
    'group.consumer.min.session.timeout.ms': '500',
    'group.consumer.session.timeout.ms': '2000',
    'group.consumer.min.heartbeat.interval.ms': '100',
    'group.consumer.heartbeat.interval.ms': '300',
  },
})
process.stdout.write(`listening ${broker.bootstrap}\n`)
