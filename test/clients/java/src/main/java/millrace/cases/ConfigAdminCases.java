package millrace.cases;

import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.AlterConfigOp.OpType;
import org.apache.kafka.clients.admin.AlterConfigsResult;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.DescribeConfigsOptions;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.InvalidConfigurationException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;

/** The administration client: configurations of topics, brokers and groups. */
final class ConfigAdminCases {
    static void addTo(Suite suite) {
        suite.add("admin: the topics of coordinators are configured as Kafka does it", ConfigAdminCases::internalTopics);
        suite.add("admin: a topic's configuration names sources and synonyms", ConfigAdminCases::describeTopic);
        suite.add("admin: a configuration is set, and deleted back to its default", ConfigAdminCases::setAndDelete);
        suite.add("admin: lists are appended to and subtracted from", ConfigAdminCases::lists);
        suite.add("admin: configurations that cannot be are refused", ConfigAdminCases::refused);
        suite.add("admin: a broker's configuration is described", ConfigAdminCases::describeBroker);
        suite.add("admin: a broker's dynamic default is kept", ConfigAdminCases::brokerDefault);
        suite.add("admin: a changed topic configuration takes effect", ConfigAdminCases::takesEffect);
        suite.add("admin: alterConfigs replaces all of a topic's configuration", ConfigAdminCases::replace);
    }

    private static ConfigResource topic(String name) {
        return new ConfigResource(ConfigResource.Type.TOPIC, name);
    }

    private static Config configOf(Cluster cluster, ConfigResource resource) throws Exception {
        var options = new DescribeConfigsOptions().includeSynonyms(true);
        return cluster.admin().describeConfigs(List.of(resource), options).all().get().get(resource);
    }

    private static void alter(Cluster cluster, ConfigResource resource, OpType type, String name, String value)
            throws Exception {
        Collection<AlterConfigOp> change = List.of(new AlterConfigOp(new ConfigEntry(name, value), type));
        cluster.admin().incrementalAlterConfigs(Map.of(resource, change)).all().get();
    }

    private static void describeTopic(Cluster cluster) throws Exception {
        Config config = configOf(cluster, topic(cluster.topic(1, "retention.ms", "5000")));
        ConfigEntry retention = config.get("retention.ms");
        Check.equal("5000", retention.value(), "value");
        Check.equal(ConfigEntry.ConfigSource.DYNAMIC_TOPIC_CONFIG, retention.source(), "source");
        Check.equal("retention.ms", retention.synonyms().get(0).name(), "first synonym");
        Check.equal("5000", retention.synonyms().get(0).value(), "value of the first synonym");
        Check.equal(ConfigEntry.ConfigType.LONG, retention.type(), "type");
        Check.that(!retention.isReadOnly() && !retention.isSensitive() && !retention.isDefault(), "flags");
        ConfigEntry other = config.get("cleanup.policy");
        Check.equal("delete", other.value(), "default");
        Check.equal(ConfigEntry.ConfigSource.DEFAULT_CONFIG, other.source(), "source of a default");
        Check.equal(ConfigEntry.ConfigType.LIST, other.type(), "type of a list");
        for (String name : List.of("compression.type", "delete.retention.ms", "file.delete.delay.ms", "flush.messages",
                "flush.ms", "index.interval.bytes", "max.compaction.lag.ms", "max.message.bytes",
                "message.timestamp.type", "min.cleanable.dirty.ratio", "min.compaction.lag.ms", "min.insync.replicas",
                "preallocate", "retention.bytes", "segment.bytes", "segment.index.bytes", "segment.jitter.ms",
                "segment.ms", "unclean.leader.election.enable")) {
            Check.that(config.get(name) != null, name + " is there");
        }
    }

    private static void internalTopics(Cluster cluster) throws Exception {
        cluster.transactional(Cluster.name("tx"));
        Config transactions = configOf(cluster, topic("__transaction_state"));
        Check.equal("compact", transactions.get("cleanup.policy").value(), "policy");
        Check.equal("uncompressed", transactions.get("compression.type").value(), "compression");
        Check.equal("false", transactions.get("unclean.leader.election.enable").value(), "unclean elections");
        Check.that(transactions.get("min.insync.replicas").source() == ConfigEntry.ConfigSource.DYNAMIC_TOPIC_CONFIG, "in sync");
        cluster.admin().alterConsumerGroupOffsets(Cluster.name("group"), Map.of(new TopicPartition(
            cluster.topic(1), 0), new OffsetAndMetadata(0))).all().get();
        Config groups = configOf(cluster, topic("__consumer_offsets"));
        Check.equal("compact", groups.get("cleanup.policy").value(), "policy");
        Check.equal("producer", groups.get("compression.type").value(), "compression");
    }

    private static void setAndDelete(Cluster cluster) throws Exception {
        ConfigResource topic = topic(cluster.topic(1));
        String before = configOf(cluster, topic).get("segment.ms").value();
        alter(cluster, topic, OpType.SET, "segment.ms", "77777");
        Check.until("it is set", () -> configOf(cluster, topic).get("segment.ms").value().equals("77777"));
        alter(cluster, topic, OpType.DELETE, "segment.ms", null);
        Check.until("it is back", () -> configOf(cluster, topic).get("segment.ms").value().equals(before));
    }

    private static void lists(Cluster cluster) throws Exception {
        ConfigResource topic = topic(cluster.topic(1, "cleanup.policy", "delete"));
        alter(cluster, topic, OpType.APPEND, "cleanup.policy", "compact");
        Check.until("both", () -> Set.of(configOf(cluster, topic).get("cleanup.policy").value().split(","))
            .equals(Set.of("compact", "delete")));
        alter(cluster, topic, OpType.SUBTRACT, "cleanup.policy", "delete");
        Check.until("one", () -> configOf(cluster, topic).get("cleanup.policy").value().equals("compact"));
        Check.fails(org.apache.kafka.common.errors.ApiException.class, () -> {
            alter(cluster, topic, OpType.APPEND, "retention.ms", "1");
            return "appending to a number";
        });
    }

    private static void refused(Cluster cluster) throws Exception {
        ConfigResource topic = topic(cluster.topic(1));
        for (String[] wrong : new String[][] {
                {"no.such.config", "1"}, {"retention.ms", "soon"}, {"segment.bytes", "1"}, {"cleanup.policy", "burn"},
                {"compression.type", "zip"}, {"min.insync.replicas", "0"}, {"max.message.bytes", "-1"}}) {
            Check.fails(InvalidConfigurationException.class, () -> {
                alter(cluster, topic, OpType.SET, wrong[0], wrong[1]);
                return wrong[0];
            });
        }
        Check.fails(UnknownTopicOrPartitionException.class, () -> {
            alter(cluster, topic("missing"), OpType.SET, "retention.ms", "1");
            return null;
        });
        Check.fails(UnknownTopicOrPartitionException.class, () -> configOf(cluster, topic("missing")));
    }

    private static ConfigResource anyBroker(Cluster cluster) throws Exception {
        int id = cluster.admin().describeCluster().nodes().get().iterator().next().id();
        return new ConfigResource(ConfigResource.Type.BROKER, "" + id);
    }

    private static void describeBroker(Cluster cluster) throws Exception {
        Config config = configOf(cluster, anyBroker(cluster));
        for (String name : List.of("num.partitions", "log.retention.ms", "message.max.bytes", "auto.create.topics.enable",
                "default.replication.factor", "offsets.retention.minutes", "transaction.max.timeout.ms", "node.id")) {
            Check.that(config.get(name) != null, name + " is there");
        }
        Check.that(config.get("node.id").isReadOnly(), "node.id is read only");
    }

    private static void brokerDefault(Cluster cluster) throws Exception {
        ConfigResource all = new ConfigResource(ConfigResource.Type.BROKER, "");
        alter(cluster, all, OpType.SET, "log.retention.ms", "987654321");
        Check.until("it is set for all brokers", () -> {
            ConfigEntry entry = configOf(cluster, all).get("log.retention.ms");
            return entry != null && entry.value().equals("987654321")
                && entry.source() == ConfigEntry.ConfigSource.DYNAMIC_DEFAULT_BROKER_CONFIG;
        });
        alter(cluster, all, OpType.DELETE, "log.retention.ms", null);
        Check.until("it is gone", () -> configOf(cluster, all).get("log.retention.ms") == null);
    }

    private static void takesEffect(Cluster cluster) throws Exception {
        String name = cluster.topic(1);
        alter(cluster, topic(name), OpType.SET, "max.message.bytes", "500");
        var producer = cluster.producer("enable.idempotence", false);
        Check.until("large records are refused", () -> {
            try {
                producer.send(new org.apache.kafka.clients.producer.ProducerRecord<>(name, "x".repeat(1000))).get();
                return false;
            } catch (java.util.concurrent.ExecutionException refused) {
                return Check.cause(refused) instanceof org.apache.kafka.common.errors.RecordTooLargeException;
            }
        });
    }

    private static void replace(Cluster cluster) throws Exception {
        if (Cluster.clientsAreOfKafka4()) throw new Skipped("gone from the clients of Kafka 4");
        ConfigResource topic = topic(cluster.topic(1, "retention.ms", "5000", "segment.ms", "6000"));
        Map<ConfigResource, Config> wanted = Map.of(topic, new Config(List.of(new ConfigEntry("retention.ms", "7000"))));
        var method = Admin.class.getMethod("alterConfigs", Map.class);
        ((AlterConfigsResult) method.invoke(cluster.admin(), wanted)).all().get();
        Check.until("what was given is set", () -> configOf(cluster, topic).get("retention.ms").value().equals("7000"));
        Check.that(configOf(cluster, topic).get("segment.ms").isDefault(), "the rest is back to its default");
    }

    private ConfigAdminCases() {}
}
