import type { ReleaseName, VersionSpan } from './release.ts'

/** Of each API that this broker serves, its key and the versions in Kafka 2.8, 3.9 and 4.1. */
const table = `
  0 Produce                       0-9   0-11  0-13
  1 Fetch                         0-12  0-17  4-18
  2 ListOffsets                   0-6   0-9   1-10
  3 Metadata                      0-11  0-12  0-13
  8 OffsetCommit                  0-8   0-9   2-9
  9 OffsetFetch                   0-7   0-9   1-9
 10 FindCoordinator               0-3   0-6   0-6
 11 JoinGroup                     0-7   0-9   0-9
 12 Heartbeat                     0-4   0-4   0-4
 13 LeaveGroup                    0-4   0-5   0-5
 14 SyncGroup                     0-5   0-5   0-5
 15 DescribeGroups                0-5   0-5   0-6
 16 ListGroups                    0-4   0-5   0-5
 17 SaslHandshake                 0-1   0-1   0-1
 18 ApiVersions                   0-3   0-4   0-4
 19 CreateTopics                  0-7   0-7   2-7
 20 DeleteTopics                  0-6   0-6   1-6
 21 DeleteRecords                 0-2   0-2   0-2
 22 InitProducerId                0-4   0-5   0-5
 23 OffsetForLeaderEpoch          0-4   0-4   2-4
 24 AddPartitionsToTxn            0-3   0-5   0-5
 25 AddOffsetsToTxn               0-3   0-4   0-4
 26 EndTxn                        0-3   0-4   0-5
 27 WriteTxnMarkers               0-1   0-1   1-1
 28 TxnOffsetCommit               0-3   0-4   0-5
 29 DescribeAcls                  0-2   0-3   1-3
 30 CreateAcls                    0-2   0-3   1-3
 31 DeleteAcls                    0-2   0-3   1-3
 32 DescribeConfigs               0-4   0-4   1-4
 33 AlterConfigs                  0-2   0-2   0-2
 35 DescribeLogDirs               0-2   0-4   1-4
 36 SaslAuthenticate              0-2   0-2   0-2
 37 CreatePartitions              0-3   0-3   0-3
 42 DeleteGroups                  0-2   0-2   0-2
 43 ElectLeaders                  0-2   0-2   0-2
 44 IncrementalAlterConfigs       0-1   0-1   0-1
 45 AlterPartitionReassignments   0-0   0-0   0-1
 46 ListPartitionReassignments    0-0   0-0   0-0
 47 OffsetDelete                  0-0   0-0   0-0
 48 DescribeClientQuotas          0-1   0-1   0-1
 49 AlterClientQuotas             0-1   0-1   0-1
 50 DescribeUserScramCredentials  0-0   0-0   0-0
 51 AlterUserScramCredentials     0-0   0-0   0-0
 55 DescribeQuorum                -     0-2   0-2
 57 UpdateFeatures                0-0   0-1   0-2
 60 DescribeCluster               0-0   0-1   0-2
 61 DescribeProducers             0-0   0-0   0-0
 65 DescribeTransactions          -     0-0   0-0
 66 ListTransactions              -     0-1   0-2
 68 ConsumerGroupHeartbeat        -     0-0   0-1
 69 ConsumerGroupDescribe         -     0-0   0-1
 74 ListConfigResources           -     0-0   0-1
 75 DescribeTopicPartitions       -     0-0   0-0
 76 ShareGroupHeartbeat           -     -     1-1
 77 ShareGroupDescribe            -     -     1-1
 78 ShareFetch                    -     -     1-1
 79 ShareAcknowledge              -     -     1-1
 90 DescribeShareGroupOffsets     -     -     0-0
 91 AlterShareGroupOffsets        -     -     0-0
 92 DeleteShareGroupOffsets       -     -     0-0
`

const columns = ['2.8', '3.9', '4.1'] as const satisfies readonly ReleaseName[]

/** The versions of each API in a release, by its key. */
export function apiRanges(release: ReleaseName): ReadonlyMap<number, VersionSpan> {
  const rows = table
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
  const firstColumn = 2
  const column = firstColumn + columns.indexOf(release)
  return new Map(
    rows
      .filter((row) => row[column] !== '-')
      .map((row) => [Number(row[0]), spanOf(row[column] ?? '')]),
  )
}

function spanOf(text: string): VersionSpan {
  const [first = 0, last = 0] = text.split('-').map(Number)
  return [first, last]
}
