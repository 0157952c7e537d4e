import type { Cluster } from '../cluster/cluster.ts'
import { AclAdmin } from './acls.ts'
import { NewTopics } from './admin-world.ts'
import { ClusterAdmin } from './cluster.ts'
import { ConfigAdmin } from './configs.ts'
import { ElectionAdmin } from './elections.ts'
import { GroupAdmin } from './groups.ts'
import { OffsetAdmin } from './offsets.ts'
import { QuotaAdmin } from './quotas.ts'
import { ReassignmentAdmin } from './reassignments.ts'
import { RecordAdmin } from './records.ts'
import { TopicAdmin } from './topics.ts'
import { TransactionAdmin } from './transactions.ts'
import { UserAdmin } from './users.ts'

/**
 * The administration of a cluster, by theme.
 *
 * Every method tries until it is answered or its `timeoutMs` is over, through moves of controllers, leaders
 * and coordinators. A method with `Many` in its name asks all brokers that it concerns at the same time and
 * answers for each item, with `error` where there is no answer; without `Many` it throws that error.
 *
 * Of what failed, `mayHaveTakenEffect(error)` tells whether it may have been done all the same.
 *
 * It holds nothing of its own: it ends with its client.
 *
 * @example
 * const admin = client.admin()
 * await admin.topics.create({ name: 'orders', partitions: 12 })
 * const results = await admin.topics.describeMany(['orders', 'payments'])
 * for (const [name, result] of results) {
 *   if (result.error === undefined) console.log(name, result.partitions.length)
 *   else console.error(name, result.error.message)
 * }
 */
export class Admin {
  readonly topics: TopicAdmin
  readonly configs: ConfigAdmin
  readonly groups: GroupAdmin
  readonly offsets: OffsetAdmin
  readonly records: RecordAdmin
  readonly acls: AclAdmin
  readonly users: UserAdmin
  readonly cluster: ClusterAdmin
  readonly transactions: TransactionAdmin
  readonly elections: ElectionAdmin
  readonly reassignments: ReassignmentAdmin
  readonly quotas: QuotaAdmin

  constructor(cluster: Cluster) {
    const world = { cluster, newTopics: new NewTopics(cluster.platform.clock) }
    this.topics = new TopicAdmin(world)
    this.configs = new ConfigAdmin(world)
    this.groups = new GroupAdmin(world)
    this.offsets = new OffsetAdmin(world)
    this.records = new RecordAdmin(world)
    this.acls = new AclAdmin(world)
    this.users = new UserAdmin(world)
    this.cluster = new ClusterAdmin(world)
    this.transactions = new TransactionAdmin(world)
    this.elections = new ElectionAdmin(world)
    this.reassignments = new ReassignmentAdmin(world)
    this.quotas = new QuotaAdmin(world)
  }
}
