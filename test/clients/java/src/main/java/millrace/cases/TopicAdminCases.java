package millrace.cases;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.CreateTopicsOptions;
import org.apache.kafka.clients.admin.CreateTopicsResult;
import org.apache.kafka.clients.admin.ListOffsetsResult.ListOffsetsResultInfo;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.ElectionType;
import org.apache.kafka.common.TopicCollection;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.errors.ElectionNotNeededException;
import org.apache.kafka.common.errors.InvalidConfigurationException;
import org.apache.kafka.common.errors.InvalidPartitionsException;
import org.apache.kafka.common.errors.InvalidReplicationFactorException;
import org.apache.kafka.common.errors.InvalidTopicException;
import org.apache.kafka.common.errors.NoReassignmentInProgressException;
import org.apache.kafka.common.errors.OffsetOutOfRangeException;
import org.apache.kafka.common.errors.PolicyViolationException;
import org.apache.kafka.common.errors.TopicExistsException;
import org.apache.kafka.common.errors.UnknownTopicIdException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;

/** The administration client: topics, partitions, offsets. */
final class TopicAdminCases {
    static void addTo(Suite suite) {
        suite.add("admin: creating a topic answers its partitions, replicas, id and configuration", TopicAdminCases::create);
        suite.add("admin: a topic is created with the broker's defaults", TopicAdminCases::createDefault);
        suite.add("admin: a topic is created with replicas assigned by hand", TopicAdminCases::createAssigned);
        suite.add("admin: a topic that is only validated is not created", TopicAdminCases::validateOnly);
        suite.add("admin: topics that cannot be created are refused, each for its reason", TopicAdminCases::createRefused);
        suite.add("admin: describing topics answers leaders, replicas and no null", TopicAdminCases::describe);
        suite.add("admin: topics are described and deleted by id", TopicAdminCases::byId);
        suite.add("admin: a deleted topic is gone", TopicAdminCases::delete);
        suite.add("admin: partitions are added, never taken away", TopicAdminCases::createPartitions);
        suite.add("admin: listOffsets of every kind", TopicAdminCases::listOffsets);
        suite.add("admin: deleteRecords moves the beginning", TopicAdminCases::deleteRecords);
        suite.add("admin: deleteRecords of a compacted topic is refused", TopicAdminCases::deleteCompacted);
        suite.add("admin: an election of the leader that leads is not needed", TopicAdminCases::elections);
        suite.add("admin: no partition is being reassigned", TopicAdminCases::reassignments);
    }

    private static void create(Cluster cluster) throws Exception {
        String name = Cluster.name("topic");
        CreateTopicsResult result = cluster.admin().createTopics(List.of(
            new NewTopic(name, 3, (short) 1).configs(Map.of("retention.ms", "123456", "cleanup.policy", "compact,delete"))));
        result.all().get();
        Check.equal(3, result.numPartitions(name).get(), "partitions");
        Check.equal(1, result.replicationFactor(name).get(), "replicas");
        Check.that(!result.topicId(name).get().equals(Uuid.ZERO_UUID), "the topic has an id");
        ConfigEntry retention = result.config(name).get().get("retention.ms");
        Check.equal("123456", retention.value(), "retention");
        Check.equal(ConfigEntry.ConfigSource.DYNAMIC_TOPIC_CONFIG, retention.source(), "source of the retention");
        ConfigEntry bytes = result.config(name).get().get("segment.bytes");
        Check.equal(ConfigEntry.ConfigSource.DEFAULT_CONFIG, bytes.source(), "source of a default");
        Check.that(result.config(name).get().entries().size() > 20, "all configurations are answered");
    }

    private static void createDefault(Cluster cluster) throws Exception {
        String name = Cluster.name("topic");
        CreateTopicsResult result =
            cluster.admin().createTopics(List.of(new NewTopic(name, Optional.empty(), Optional.empty())));
        result.all().get();
        Check.that(result.numPartitions(name).get() >= 1, "partitions");
        Check.that(result.replicationFactor(name).get() >= 1, "replicas");
    }

    private static int anyBroker(Cluster cluster) throws Exception {
        return cluster.admin().describeCluster().nodes().get().iterator().next().id();
    }

    private static void createAssigned(Cluster cluster) throws Exception {
        String name = Cluster.name("topic");
        int broker = anyBroker(cluster);
        cluster.admin().createTopics(List.of(
            new NewTopic(name, Map.of(0, List.of(broker), 1, List.of(broker))))).all().get();
        cluster.untilKnown(name, 2);
        TopicDescription description = cluster.admin().describeTopics(List.of(name)).allTopicNames().get().get(name);
        Check.equal(2, description.partitions().size(), "partitions");
        Check.equal(broker, description.partitions().get(0).leader().id(), "leader");
    }

    private static void validateOnly(Cluster cluster) throws Exception {
        String name = Cluster.name("topic");
        CreateTopicsResult result = cluster.admin().createTopics(
            List.of(new NewTopic(name, 2, (short) 1)), new CreateTopicsOptions().validateOnly(true));
        result.all().get();
        Check.equal(2, result.numPartitions(name).get(), "partitions");
        Check.that(!cluster.admin().listTopics().names().get().contains(name), "it does not exist");
    }

    private static void createRefused(Cluster cluster) throws Exception {
        Admin admin = cluster.admin();
        String existing = cluster.topic(1);
        Check.fails(TopicExistsException.class, () -> createOne(admin, new NewTopic(existing, 1, (short) 1)));
        Check.fails(InvalidTopicException.class, () -> createOne(admin, new NewTopic("not a name", 1, (short) 1)));
        Check.fails(InvalidTopicException.class, () -> createOne(admin, new NewTopic("..", 1, (short) 1)));
        Check.fails(InvalidTopicException.class, () -> createOne(admin, new NewTopic("x".repeat(250), 1, (short) 1)));
        String name = Cluster.name("topic");
        Check.fails(InvalidPartitionsException.class, () -> createOne(admin, new NewTopic(name, 0, (short) 1)));
        Check.fails(InvalidReplicationFactorException.class, () -> createOne(admin, new NewTopic(name, 1, (short) 100)));
        Check.fails(InvalidConfigurationException.class, () ->
            createOne(admin, new NewTopic(name, 1, (short) 1).configs(Map.of("no.such.config", "1"))));
        Check.fails(InvalidConfigurationException.class, () ->
            createOne(admin, new NewTopic(name, 1, (short) 1).configs(Map.of("retention.ms", "soon"))));
        CreateTopicsResult both = admin.createTopics(
            List.of(new NewTopic(name, 1, (short) 1), new NewTopic(existing, 1, (short) 1)));
        both.values().get(name).get();
        Check.fails(TopicExistsException.class, () -> both.values().get(existing).get());
    }

    private static Object createOne(Admin admin, NewTopic topic) throws Exception {
        return admin.createTopics(List.of(topic)).all().get();
    }

    private static void describe(Cluster cluster) throws Exception {
        String one = cluster.topic(3);
        String two = cluster.topic(1);
        var descriptions = cluster.admin().describeTopics(List.of(one, two)).allTopicNames().get();
        Check.equal(Set.of(one, two), descriptions.keySet(), "topics");
        TopicDescription description = descriptions.get(one);
        Check.equal(3, description.partitions().size(), "partitions");
        Check.that(!description.isInternal(), "it is not internal");
        Check.that(description.partitions().stream().allMatch(partition ->
            partition.leader() != null && partition.replicas().size() == 1 && partition.isr().size() == 1), "leaders");
        var missing = cluster.admin().describeTopics(List.of(one, "missing")).topicNameValues();
        Check.equal(3, missing.get(one).get().partitions().size(), "partitions beside a missing topic");
        Check.fails(UnknownTopicOrPartitionException.class, () -> missing.get("missing").get());
    }

    private static void byId(Cluster cluster) throws Exception {
        String name = cluster.topic(2);
        Admin admin = cluster.admin();
        Uuid id = admin.describeTopics(List.of(name)).allTopicNames().get().get(name).topicId();
        var byId = admin.describeTopics(TopicCollection.ofTopicIds(List.of(id))).allTopicIds().get();
        Check.equal(name, byId.get(id).name(), "name");
        admin.deleteTopics(TopicCollection.ofTopicIds(List.of(id))).all().get();
        Check.fails(UnknownTopicIdException.class,
            () -> admin.deleteTopics(TopicCollection.ofTopicIds(List.of(id))).all().get());
    }

    private static void delete(Cluster cluster) throws Exception {
        Admin admin = cluster.admin();
        String name = cluster.topic(1);
        Uuid before = admin.describeTopics(List.of(name)).allTopicNames().get().get(name).topicId();
        admin.deleteTopics(List.of(name)).all().get();
        Check.until("it is not listed", () -> !admin.listTopics().names().get().contains(name));
        Check.fails(UnknownTopicOrPartitionException.class, () -> admin.deleteTopics(List.of(name)).all().get());
        cluster.topicNamed(name, 1);
        Uuid after = admin.describeTopics(List.of(name)).allTopicNames().get().get(name).topicId();
        Check.that(!before.equals(after), "the new topic of the name has a new id");
    }

    private static void createPartitions(Cluster cluster) throws Exception {
        Admin admin = cluster.admin();
        String name = cluster.topic(2);
        admin.createPartitions(Map.of(name, NewPartitions.increaseTo(4))).all().get();
        Check.until("4 partitions", () ->
            admin.describeTopics(List.of(name)).allTopicNames().get().get(name).partitions().size() == 4);
        for (int count : new int[] {4, 3, 0}) {
            Check.fails(InvalidPartitionsException.class,
                () -> admin.createPartitions(Map.of(name, NewPartitions.increaseTo(count))).all().get());
        }
        Check.fails(UnknownTopicOrPartitionException.class,
            () -> admin.createPartitions(Map.of("missing", NewPartitions.increaseTo(4))).all().get());
    }

    private static void listOffsets(Cluster cluster) throws Exception {
        String topic = cluster.topic(1);
        TopicPartition partition = new TopicPartition(topic, 0);
        KafkaProducer<String, String> producer = cluster.producer();
        for (int i : new int[] {100, 300, 200}) {
            producer.send(new ProducerRecord<>(topic, 0, 1_700_000_000_000L + i, "key", "" + i)).get();
        }
        Map<OffsetSpec, Long> expected = new HashMap<>();
        expected.put(OffsetSpec.earliest(), 0L);
        expected.put(OffsetSpec.latest(), 3L);
        expected.put(OffsetSpec.maxTimestamp(), 1L);
        expected.put(OffsetSpec.forTimestamp(1_700_000_000_150L), 1L);
        expected.put(OffsetSpec.forTimestamp(1_700_000_000_301L), -1L);
        for (Map.Entry<OffsetSpec, Long> entry : expected.entrySet()) {
            ListOffsetsResultInfo info =
                cluster.admin().listOffsets(Map.of(partition, entry.getKey())).partitionResult(partition).get();
            Check.equal(entry.getValue(), info.offset(), "offset for " + entry.getKey().getClass().getSimpleName());
        }
    }

    private static void deleteRecords(Cluster cluster) throws Exception {
        String topic = cluster.topic(1);
        TopicPartition partition = new TopicPartition(topic, 0);
        cluster.fill(topic, 10);
        Admin admin = cluster.admin();
        Check.equal(4L, admin.deleteRecords(Map.of(partition, RecordsToDelete.beforeOffset(4)))
            .lowWatermarks().get(partition).get().lowWatermark(), "low watermark");
        Check.equal(4L, cluster.readAll(topic).get(0).offset(), "first offset");
        Check.fails(OffsetOutOfRangeException.class,
            () -> admin.deleteRecords(Map.of(partition, RecordsToDelete.beforeOffset(11))).all().get());
        Check.equal(10L, admin.deleteRecords(Map.of(partition, RecordsToDelete.beforeOffset(-1)))
            .lowWatermarks().get(partition).get().lowWatermark(), "low watermark when all is deleted");
        Check.equal(0, cluster.readAll(topic).size(), "records left");
    }

    private static void deleteCompacted(Cluster cluster) throws Exception {
        String topic = cluster.topic(1, "cleanup.policy", "compact");
        TopicPartition partition = new TopicPartition(topic, 0);
        cluster.fill(topic, 3);
        Check.fails(PolicyViolationException.class,
            () -> cluster.admin().deleteRecords(Map.of(partition, RecordsToDelete.beforeOffset(1))).all().get());
    }

    private static void elections(Cluster cluster) throws Exception {
        TopicPartition partition = new TopicPartition(cluster.topic(1), 0);
        var result = cluster.admin().electLeaders(ElectionType.PREFERRED, Set.of(partition)).partitions().get();
        Check.that(result.get(partition).orElseThrow() instanceof ElectionNotNeededException, "not needed: " + result);
    }

    private static void reassignments(Cluster cluster) throws Exception {
        TopicPartition partition = new TopicPartition(cluster.topic(1), 0);
        Check.equal(Map.of(), cluster.admin().listPartitionReassignments().reassignments().get(), "reassignments");
        Check.fails(NoReassignmentInProgressException.class,
            () -> cluster.admin().alterPartitionReassignments(Map.of(partition, Optional.empty())).all().get());
    }

    private TopicAdminCases() {}
}
