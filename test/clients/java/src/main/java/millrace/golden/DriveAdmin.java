package millrace.golden;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.AbortTransactionSpec;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.DescribeConfigsOptions;
import org.apache.kafka.clients.admin.ListTransactionsOptions;
import org.apache.kafka.clients.admin.NewPartitionReassignment;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.admin.ScramCredentialInfo;
import org.apache.kafka.clients.admin.ScramMechanism;
import org.apache.kafka.clients.admin.UserScramCredentialDeletion;
import org.apache.kafka.clients.admin.UserScramCredentialUpsertion;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.ElectionType;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.acl.AccessControlEntry;
import org.apache.kafka.common.acl.AclBinding;
import org.apache.kafka.common.acl.AclBindingFilter;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.acl.AclPermissionType;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.quota.ClientQuotaAlteration;
import org.apache.kafka.common.quota.ClientQuotaEntity;
import org.apache.kafka.common.quota.ClientQuotaFilter;
import org.apache.kafka.common.quota.ClientQuotaFilterComponent;
import org.apache.kafka.common.resource.PatternType;
import org.apache.kafka.common.resource.ResourcePattern;
import org.apache.kafka.common.resource.ResourceType;

/** What the administration client sends. */
final class DriveAdmin {
    private final Drive drive;
    private final String topic;
    private final TopicPartition partition;

    DriveAdmin(Drive drive) {
        this.drive = drive;
        this.topic = drive.name("records");
        this.partition = new TopicPartition(topic, 0);
    }

    /** A call that answers with a future. */
    private interface Call {
        KafkaFuture<?> on(Admin admin);
    }

    private void call(String name, Call call) {
        drive.step(name, () -> {
            try (Admin admin = Admin.create(drive.configuration())) {
                call.on(admin).get(5, TimeUnit.SECONDS);
            }
        });
    }

    void createTopics() {
        call("create topics", admin -> admin.createTopics(List.of(
            new NewTopic(topic, 2, (short) 1).configs(Map.of("max.message.bytes", "200000")),
            new NewTopic(drive.name("appended"), 2, (short) 1)
                .configs(Map.of("message.timestamp.type", "LogAppendTime")))).all());
        call("create a topic with defaults", admin -> admin.createTopics(List.of(
            new NewTopic(drive.name("default"), Optional.empty(), Optional.empty()))).all());
        call("create a topic with replicas given", admin -> admin.createTopics(List.of(
            new NewTopic(drive.name("assigned"), Map.of(0, List.of(1), 1, List.of(1))),
            new NewTopic("not a name", 1, (short) 1))).all());
    }

    void all() {
        topics();
        configs();
        groups();
        transactions();
        cluster();
        security();
    }

    void describeGroup(String group) {
        call("describe group", admin -> admin.describeConsumerGroups(List.of(group)).all());
    }

    private void topics() {
        call("describe topics", admin -> admin.describeTopics(List.of(topic, "missing")).allTopicNames());
        call("list topics", admin -> admin.listTopics().names());
        drive.step("describe topics by id", () -> {
            try (Admin admin = Admin.create(drive.configuration())) {
                var id = admin.describeTopics(List.of(topic)).allTopicNames().get().get(topic).topicId();
                admin.describeTopics(org.apache.kafka.common.TopicCollection.ofTopicIds(List.of(id))).allTopicIds().get();
            }
        });
        call("create partitions", admin -> admin.createPartitions(Map.of(
            drive.name("assigned"), NewPartitions.increaseTo(3, List.of(List.of(1))))).all());
        call("create too few partitions", admin ->
            admin.createPartitions(Map.of(topic, NewPartitions.increaseTo(1))).all());
        for (OffsetSpec spec : List.of(OffsetSpec.earliest(), OffsetSpec.latest(), OffsetSpec.maxTimestamp(),
                OffsetSpec.forTimestamp(1700000000001L), OffsetSpec.forTimestamp(1900000000000L))) {
            call("list offsets", admin -> admin.listOffsets(Map.of(partition, spec)).all());
        }
        call("delete records", admin ->
            admin.deleteRecords(Map.of(new TopicPartition(topic, 1), RecordsToDelete.beforeOffset(1))).all());
        call("delete too many records", admin ->
            admin.deleteRecords(Map.of(new TopicPartition(topic, 1), RecordsToDelete.beforeOffset(10_000))).all());
        call("elect leaders", admin -> admin.electLeaders(ElectionType.PREFERRED, Set.of(partition)).all());
        call("elect all leaders", admin -> admin.electLeaders(ElectionType.PREFERRED, null).all());
        call("alter reassignments", admin -> admin.alterPartitionReassignments(Map.of(
            partition, Optional.of(new NewPartitionReassignment(List.of(1))),
            new TopicPartition(topic, 1), Optional.empty())).all());
        call("list reassignments", admin -> admin.listPartitionReassignments().reassignments());
        call("describe producers", admin -> admin.describeProducers(List.of(partition)).all());
        call("delete a topic", admin -> admin.deleteTopics(List.of(drive.name("assigned"))).all());
        call("delete a missing topic", admin -> admin.deleteTopics(List.of("missing")).all());
    }

    private void configs() {
        ConfigResource onTopic = new ConfigResource(ConfigResource.Type.TOPIC, topic);
        ConfigResource onBroker = new ConfigResource(ConfigResource.Type.BROKER, "1");
        var options = new DescribeConfigsOptions().includeSynonyms(true).includeDocumentation(false);
        call("describe configs", admin -> admin.describeConfigs(List.of(onTopic), options).all());
        call("describe configs of a missing topic", admin ->
            admin.describeConfigs(List.of(new ConfigResource(ConfigResource.Type.TOPIC, "missing"))).all());
        call("describe broker configs", admin -> admin.describeConfigs(List.of(onBroker), options).all());
        for (AlterConfigOp.OpType type : List.of(AlterConfigOp.OpType.SET, AlterConfigOp.OpType.DELETE)) {
            call("incremental " + type, admin -> admin.incrementalAlterConfigs(Map.of(
                onTopic, Set.of(new AlterConfigOp(new ConfigEntry("retention.ms", "1000000000"), type)))).all());
        }
        for (AlterConfigOp.OpType type : List.of(AlterConfigOp.OpType.APPEND, AlterConfigOp.OpType.SUBTRACT)) {
            call("incremental " + type, admin -> admin.incrementalAlterConfigs(Map.of(
                onTopic, Set.of(new AlterConfigOp(new ConfigEntry("cleanup.policy", "compact"), type)))).all());
        }
        call("a config that does not exist", admin -> admin.incrementalAlterConfigs(Map.of(onTopic,
            Set.of(new AlterConfigOp(new ConfigEntry("nonsense", "1"), AlterConfigOp.OpType.SET)))).all());
        drive.step("alter configs", () -> {
            try (Admin admin = Admin.create(drive.configuration())) {
                // Gone from the clients of Kafka 4.
                var method = Admin.class.getMethod("alterConfigs", Map.class);
                method.invoke(admin, Map.of(onTopic, new Config(Set.of(new ConfigEntry("retention.ms", "1000000001")))));
            }
        });
        drive.step("list config resources", () -> {
            try (Admin admin = Admin.create(drive.configuration())) {
                var method = Admin.class.getMethod("listConfigResources");
                Object result = method.invoke(admin);
                ((KafkaFuture<?>) result.getClass().getMethod("all").invoke(result)).get();
            }
        });
    }

    private void groups() {
        call("list groups", admin -> admin.listConsumerGroups().all());
        drive.step("list all groups", () -> {
            try (Admin admin = Admin.create(drive.configuration())) {
                Object result = Admin.class.getMethod("listGroups").invoke(admin);
                ((KafkaFuture<?>) result.getClass().getMethod("all").invoke(result)).get();
            }
        });
        String group = drive.name("assigned");
        describeGroup(group);
        describeGroup("missing");
        describeGroup(drive.name("consumer"));
        call("list group offsets", admin -> admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata());
        call("list offsets of a missing group", admin ->
            admin.listConsumerGroupOffsets("missing").partitionsToOffsetAndMetadata());
        call("alter group offsets", admin -> admin.alterConsumerGroupOffsets(group, Map.of(
            partition, new OffsetAndMetadata(1, Optional.of(0), "altered"),
            new TopicPartition(topic, 1), new OffsetAndMetadata(2))).all());
        call("delete group offsets", admin ->
            admin.deleteConsumerGroupOffsets(group, Set.of(partition)).partitionResult(partition));
        call("remove members", admin -> admin.removeMembersFromConsumerGroup(drive.name("static"),
            new org.apache.kafka.clients.admin.RemoveMembersFromConsumerGroupOptions(Set.of(
                new org.apache.kafka.clients.admin.MemberToRemove("instance-1")))).all());
        call("delete groups", admin -> admin.deleteConsumerGroups(List.of(group, "missing")).all());
    }

    private void transactions() {
        call("list transactions", admin -> admin.listTransactions().all());
        call("list transactions filtered", admin -> admin.listTransactions(new ListTransactionsOptions()
            .filterProducerIds(Set.of(0L, 1L)).filterStates(Set.of(
                org.apache.kafka.clients.admin.TransactionState.COMPLETE_COMMIT)).filterOnDuration(0)).all());
        call("describe transactions", admin -> admin.describeTransactions(List.of(drive.name("tx"))).all());
        call("describe missing transactions", admin -> admin.describeTransactions(List.of("missing")).all());
        call("fence producers", admin -> admin.fenceProducers(List.of(drive.name("tx"))).all());
        call("abort a transaction", admin ->
            admin.abortTransaction(new AbortTransactionSpec(partition, 0, (short) 5, 0)).all());
    }

    private void cluster() {
        call("describe cluster", admin -> admin.describeCluster().nodes());
        call("describe cluster, operations", admin -> admin.describeCluster(
            new org.apache.kafka.clients.admin.DescribeClusterOptions().includeAuthorizedOperations(true))
                .authorizedOperations());
        call("describe features", admin -> admin.describeFeatures().featureMetadata());
        call("update features", admin -> admin.updateFeatures(Map.of("kraft.version",
            new org.apache.kafka.clients.admin.FeatureUpdate((short) 1,
                org.apache.kafka.clients.admin.FeatureUpdate.UpgradeType.UPGRADE)),
            new org.apache.kafka.clients.admin.UpdateFeaturesOptions().validateOnly(true)).all());
        call("describe log folders", admin -> admin.describeLogDirs(List.of(1)).allDescriptions());
        call("describe quorum", admin -> admin.describeMetadataQuorum().quorumInfo());
    }

    private void security() {
        var entry = new AccessControlEntry("User:alice", "*", AclOperation.READ, AclPermissionType.ALLOW);
        var pattern = new ResourcePattern(ResourceType.TOPIC, topic, PatternType.LITERAL);
        call("create access rules", admin -> admin.createAcls(List.of(new AclBinding(pattern, entry))).all());
        call("describe access rules", admin -> admin.describeAcls(AclBindingFilter.ANY).values());
        call("delete access rules", admin -> admin.deleteAcls(List.of(AclBindingFilter.ANY)).all());
        var entity = new ClientQuotaEntity(Map.of("user", "alice", "client-id", "one"));
        call("alter quotas", admin -> admin.alterClientQuotas(List.of(new ClientQuotaAlteration(entity,
            List.of(new ClientQuotaAlteration.Op("producer_byte_rate", 1e6))))).all());
        call("describe quotas", admin -> admin.describeClientQuotas(ClientQuotaFilter.all()).entities());
        call("describe some quotas", admin -> admin.describeClientQuotas(ClientQuotaFilter.containsOnly(List.of(
            ClientQuotaFilterComponent.ofEntity("user", "alice"),
            ClientQuotaFilterComponent.ofEntityType("client-id")))).entities());
        call("remove quotas", admin -> admin.alterClientQuotas(List.of(new ClientQuotaAlteration(entity,
            List.of(new ClientQuotaAlteration.Op("producer_byte_rate", null))))).all());
        String user = drive.name("user");
        call("create a password", admin -> admin.alterUserScramCredentials(List.of(new UserScramCredentialUpsertion(
            user, new ScramCredentialInfo(ScramMechanism.SCRAM_SHA_256, 4096), "secret"))).all());
        call("describe passwords", admin -> admin.describeUserScramCredentials().all());
        call("describe passwords of some", admin -> admin.describeUserScramCredentials(List.of(user, "nobody")).all());
        call("delete a password", admin -> admin.alterUserScramCredentials(List.of(
            new UserScramCredentialDeletion(user, ScramMechanism.SCRAM_SHA_256))).all());
    }
}
