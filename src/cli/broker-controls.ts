import type { TestBroker } from '../testing/index.ts'
import { requestControls } from './broker-request-controls.ts'
import { oneOf, text, texts, whole } from './control-values.ts'
import type { Control } from './control-server.ts'

/** What `millrace/testing` lets a test do with its broker, for tests in any language. */
export function brokerControls(broker: TestBroker): readonly Control[] {
  return [
    ...requestControls(broker),
    ...topicControls(broker),
    ...placeControls(broker),
    ...timeControls(broker),
  ]
}

function topicControls(broker: TestBroker): Control[] {
  return [
    {
      method: 'POST',
      path: '/topics',
      help: "makes a topic; topic, partitions and replicas (the broker's defaults), configs",
      async run({ values }) {
        const { partitions, replicas, configs } = values
        await broker.createTopic(text(values, 'topic'), {
          ...(partitions === undefined ? {} : { partitions: whole(values, 'partitions') }),
          ...(replicas === undefined ? {} : { replicas: whole(values, 'replicas') }),
          ...(configs === undefined ? {} : { configs: texts(values, 'configs') }),
        })
      },
    },
    {
      method: 'GET',
      path: '/records/:topic',
      help: 'the records of a partition, committed or not; partition (0)',
      run: ({ path, values }) => broker.records(text(path, 'topic'), whole(values, 'partition', 0)),
    },
    {
      method: 'GET',
      path: '/batches/:topic',
      help: 'the batches of a partition as they are stored, markers included; partition (0)',
      run: ({ path, values }) => broker.batches(text(path, 'topic'), whole(values, 'partition', 0)),
    },
  ]
}

function placeControls(broker: TestBroker): Control[] {
  return [
    {
      method: 'POST',
      path: '/connections/drop',
      help: 'cuts the connections of a node, or of all; node',
      run({ values }) {
        broker.dropConnections(values['node'] === undefined ? undefined : whole(values, 'node'))
        return undefined
      },
    },
    {
      method: 'POST',
      path: '/nodes/:id/stop',
      help: 'takes a node away; how (gently, abruptly)',
      run: ({ path, values }) =>
        broker.stopNode(
          whole(path, 'id'),
          oneOf(values, 'how', ['gently', 'abruptly'] as const, 'gently'),
        ),
    },
    {
      method: 'POST',
      path: '/nodes/:id/start',
      help: 'brings a node back',
      run: ({ path }) => broker.startNode(whole(path, 'id')),
    },
    {
      method: 'POST',
      path: '/leaders',
      help: 'moves the leader of a partition; topic, partition (0), node',
      run({ values }) {
        const partition = whole(values, 'partition', 0)
        broker.moveLeader(text(values, 'topic'), partition, whole(values, 'node'))
        return undefined
      },
    },
    {
      method: 'POST',
      path: '/coordinators',
      help: 'moves a coordinator; kind (group, transaction), id, node',
      run({ values }) {
        const kind = oneOf(values, 'kind', ['group', 'transaction'] as const)
        broker.moveCoordinator(kind, text(values, 'id'), whole(values, 'node'))
        return undefined
      },
    },
    {
      method: 'GET',
      path: '/leaders/:topic',
      help: 'the node that leads a partition, -1 when none does; partition (0)',
      run({ path, values }) {
        const partition = whole(values, 'partition', 0)
        return { node: broker.leader(text(path, 'topic'), partition) }
      },
    },
  ]
}

function timeControls(broker: TestBroker): Control[] {
  const simple: readonly (readonly [path: string, help: string, run: () => Promise<void>])[] = [
    ['/retention', 'removes now what is old or too much', () => broker.applyRetention()],
    ['/compaction', 'compacts now', () => broker.compact()],
    ['/offsets/expire', 'expires committed offsets now', () => broker.expireOffsets()],
    [
      '/transactions/abort-timed-out',
      'aborts transactions that have timed out, now',
      () => broker.abortTimedOutTransactions(),
    ],
  ]
  return [
    {
      method: 'POST',
      path: '/sessions/expire',
      help: "ends the session of a group's member; group, member",
      run: ({ values }) => broker.expireSession(text(values, 'group'), text(values, 'member')),
    },
    {
      method: 'GET',
      path: '/time',
      help: "the broker's time, in milliseconds since the epoch",
      run: () => ({ ms: broker.now() }),
    },
    {
      method: 'POST',
      path: '/time/advance',
      help: "moves the broker's time ahead; ms",
      run: ({ values }) => broker.advanceTime(whole(values, 'ms')),
    },
    ...simple.map(([path, help, run]): Control => ({ method: 'POST', path, help, run })),
  ]
}
