package millrace.cases;

import static millrace.cases.Tool.CONFIGS;
import static millrace.cases.Tool.GET_OFFSETS;
import static millrace.cases.Tool.TOOLS;
import static millrace.cases.Tool.contains;
import static millrace.cases.Tool.lacks;

import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;

/** Kafka's command line tools that look after a cluster. */
final class AdminToolCases {
    static void addTo(Suite suite) {
        suite.addAlone("tool: kafka-configs describes and alters topics and brokers", AdminToolCases::configs);
        suite.addAlone("tool: kafka-configs keeps quotas, users and groups", AdminToolCases::otherConfigs);
        suite.addAlone("tool: kafka-configs refuses what is unknown or wrong", AdminToolCases::wrongConfigs);
        suite.addAlone("tool: kafka-get-offsets at every time, kafka-delete-records", AdminToolCases::offsets);
        suite.addAlone("tool: kafka-transactions lists, describes and finds nothing hanging", AdminToolCases::transactions);
        suite.addAlone("tool: kafka-transactions ends a transaction by force", AdminToolCases::endsTransaction);
        suite.addAlone("tool: kafka-log-dirs", AdminToolCases::logFolders);
        suite.addAlone("tool: kafka-broker-api-versions", AdminToolCases::versions);
        suite.addAlone("tool: kafka-features and kafka-cluster", AdminToolCases::features);
        suite.addAlone("tool: kafka-metadata-quorum", AdminToolCases::quorum);
        suite.addAlone("tool: kafka-leader-election", AdminToolCases::election);
        suite.addAlone("tool: kafka-reassign-partitions", AdminToolCases::reassign);
        suite.addAlone("tool: kafka-client-metrics, kafka-delegation-tokens: what is not there is said", AdminToolCases::notThere);
    }

    private static String inFile(String content, FileUse use) throws Exception {
        Path file = Files.createTempFile("millrace-tool", ".json");
        try {
            Files.writeString(file, content);
            return use.with(file.toString());
        } finally {
            Files.delete(file);
        }
    }

    private interface FileUse {
        String with(String file) throws Exception;
    }

    private static void configs(Cluster cluster) throws Exception {
        String topic = cluster.topic(1);
        String broker = "" + ToolCases.anyBroker(cluster);
        Tool.run(cluster, CONFIGS, "--alter", "--entity-type", "topics", "--entity-name", topic,
            "--add-config", "retention.ms=4321,cleanup.policy=[compact,delete]");
        Check.until("it is described", () -> Tool.run(cluster, CONFIGS, "--describe", "--entity-type", "topics",
            "--entity-name", topic).contains("retention.ms=4321"));
        contains(Tool.run(cluster, CONFIGS, "--describe", "--topic", topic),
            "cleanup.policy=compact,delete sensitive=false synonyms={DYNAMIC_TOPIC_CONFIG:cleanup.policy=compact,delete, ");
        Tool.run(cluster, CONFIGS, "--alter", "--entity-type", "topics", "--entity-name", topic, "--delete-config", "retention.ms");
        Check.until("it is gone", () -> !Tool.run(cluster, CONFIGS, "--describe", "--topic", topic).contains("retention.ms=4321"));
        contains(Tool.run(cluster, CONFIGS, "--describe", "--topic", topic, "--all"), "retention.ms=604800000");
        contains(Tool.run(cluster, CONFIGS, "--describe", "--entity-type", "brokers", "--entity-name", broker, "--all"),
            "num.partitions", "log.retention.hours");
        contains(Tool.run(cluster, CONFIGS, "--describe", "--entity-type", "topics"), topic);
        Tool.run(cluster, CONFIGS, "--alter", "--entity-type", "brokers", "--entity-default", "--add-config", "log.cleaner.threads=2");
        Check.until("the default is there", () -> Tool.run(cluster, CONFIGS, "--describe", "--entity-type", "brokers",
            "--entity-default").contains("log.cleaner.threads=2"));
        Tool.run(cluster, CONFIGS, "--alter", "--broker", broker, "--add-config", "log.cleaner.threads=3");
        Check.until("it is set for the broker", () -> Tool.run(cluster, CONFIGS, "--describe", "--broker", broker)
            .contains("log.cleaner.threads=3 sensitive=false synonyms={DYNAMIC_BROKER_CONFIG:log.cleaner.threads=3, "
                + "DYNAMIC_DEFAULT_BROKER_CONFIG:log.cleaner.threads=2, DEFAULT_CONFIG:log.cleaner.threads=1}"));
        Tool.run(cluster, CONFIGS, "--alter", "--broker", broker, "--delete-config", "log.cleaner.threads");
        Tool.run(cluster, CONFIGS, "--alter", "--broker-defaults", "--delete-config", "log.cleaner.threads");
        Check.until("all is as before", () -> !Tool.run(cluster, CONFIGS, "--describe", "--broker", broker)
            .contains("log.cleaner.threads"));
    }

    private static void otherConfigs(Cluster cluster) throws Exception {
        String user = Cluster.name("user");
        Tool.run(cluster, CONFIGS, "--alter", "--user", user, "--add-config", "producer_byte_rate=1024,consumer_byte_rate=2048");
        Tool.run(cluster, CONFIGS, "--alter", "--user", user, "--client", "client", "--add-config", "request_percentage=50");
        Tool.run(cluster, CONFIGS, "--alter", "--user", user, "--add-config", "SCRAM-SHA-256=[iterations=4096,password=secret]");
        Tool.run(cluster, CONFIGS, "--alter", "--ip", "10.1.2.3", "--add-config", "connection_creation_rate=7");
        Check.until("the user's quotas", () -> {
            String described = Tool.run(cluster, CONFIGS, "--describe", "--user", user);
            return described.contains("producer_byte_rate=1024") && described.contains("consumer_byte_rate=2048")
                && described.contains("SCRAM-SHA-256=iterations=4096");
        });
        contains(Tool.run(cluster, CONFIGS, "--describe", "--user", user, "--client", "client"), "request_percentage=50");
        contains(Tool.run(cluster, CONFIGS, "--describe", "--ip", "10.1.2.3"), "connection_creation_rate=7");
        Tool.run(cluster, CONFIGS, "--alter", "--ip", "10.1.2.3", "--delete-config", "connection_creation_rate");
        Tool.run(cluster, CONFIGS, "--alter", "--user", user, "--delete-config", "producer_byte_rate,consumer_byte_rate");
        Tool.run(cluster, CONFIGS, "--alter", "--user", user, "--delete-config", "SCRAM-SHA-256");
        Check.until("they are gone", () -> !Tool.run(cluster, CONFIGS, "--describe", "--user", user).contains("=1024"));
        if (!Cluster.clientsAreOfKafka4()) return;
        String group = Cluster.name("group");
        Tool.run(cluster, CONFIGS, "--alter", "--group", group, "--add-config", "consumer.session.timeout.ms=50000");
        Check.until("the group's", () -> Tool.run(cluster, CONFIGS, "--describe", "--group", group)
            .contains("consumer.session.timeout.ms=50000"));
    }

    private static void wrongConfigs(Cluster cluster) throws Exception {
        String topic = cluster.topic(1);
        contains(Tool.failing(cluster, CONFIGS, "--alter", "--topic", topic, "--add-config", "no.such=1"), "InvalidConfigurationException");
        contains(Tool.failing(cluster, CONFIGS, "--alter", "--topic", topic, "--add-config", "retention.ms=x"), "InvalidConfigurationException");
        contains(Tool.failing(cluster, CONFIGS, "--alter", "--topic", topic, "--delete-config", "retention.ms"), "retention.ms");
        contains(Tool.failing(cluster, CONFIGS, "--alter", "--topic", topic + "x", "--add-config", "retention.ms=1"),
            "UnknownTopicOrPartitionException");
        String broker = "" + ToolCases.anyBroker(cluster);
        contains(Tool.failing(cluster, CONFIGS, "--alter", "--broker", broker, "--add-config", "log.retention.hours=1"),
            "InvalidRequestException");
        contains(Tool.failing(cluster, CONFIGS, "--alter", "--client", "c", "--add-config", "no_such_rate=1"), "no_such_rate");
    }

    private static void offsets(Cluster cluster) throws Exception {
        String topic = cluster.topic(2);
        KafkaProducer<String, String> feed = cluster.producer();
        for (int i = 0; i < 10; i++) feed.send(new ProducerRecord<>(topic, 0, 1_000_000L + i * 10, "key", "value"));
        feed.flush();
        contains(Tool.run(cluster, GET_OFFSETS, "--topic", topic), topic + ":0:10\n" + topic + ":1:0");
        String deleted = inFile("{\"partitions\": [{\"topic\": \"" + topic + "\", \"partition\": 0, \"offset\": 4}], \"version\": 1}",
            file -> Tool.run(cluster, TOOLS + "DeleteRecordsCommand", "--offset-json-file", file));
        contains(deleted, "low_watermark: 4");
        for (String[] time : new String[][] {{"earliest", "4"}, {"-2", "4"}, {"latest", "10"}, {"-1", "10"}, {"1000041", "5"},
                {"1000090", "9"}, {"max-timestamp", "9"}}) {
            contains(Tool.run(cluster, GET_OFFSETS, "--topic", topic, "--time", time[0]), topic + ":0:" + time[1]);
        }
        contains(Tool.run(cluster, GET_OFFSETS, "--topic-partitions", topic + ":1"), topic + ":1:0");
        lacks(Tool.run(cluster, GET_OFFSETS, "--topic-partitions", topic + ":1-"), topic + ":0:");
        lacks(Tool.run(cluster, GET_OFFSETS, "--exclude-internal-topics"), "__consumer_offsets");
        // It prints nothing of a partition that has no record after this time.
        lacks(Tool.run(cluster, GET_OFFSETS, "--topic", topic, "--partitions", "0", "--time", "1000091"), topic + ":0:1");
        String beyond = inFile("{\"partitions\": [{\"topic\": \"" + topic + "\", \"partition\": 0, \"offset\": 44}], \"version\": 1}",
            file -> Tool.run(cluster, TOOLS + "DeleteRecordsCommand", "--offset-json-file", file));
        contains(beyond, "OffsetOutOfRangeException");
    }

    private static void transactions(Cluster cluster) throws Exception {
        String command = TOOLS + "TransactionsCommand";
        String topic = cluster.topic(1);
        String id = Cluster.name("tx");
        KafkaProducer<String, String> producer = cluster.transactional(id);
        producer.beginTransaction();
        producer.send(new ProducerRecord<>(topic, "value")).get();
        contains(Tool.run(cluster, command, "list"), id, "Ongoing");
        lacks(Tool.run(cluster, command, "list", "--duration-filter", "3600000"), id);
        contains(Tool.run(cluster, command, "describe", "--transactional-id", id), topic + "-0");
        contains(Tool.run(cluster, command, "describe-producers", "--topic", topic, "--partition", "0"), "CurrentTransactionStartOffset");
        lacks(Tool.run(cluster, command, "find-hanging", "--broker-id", "" + ToolCases.anyBroker(cluster)), topic);
        lacks(Tool.run(cluster, command, "find-hanging", "--topic", topic), topic);
        producer.commitTransaction();
        Check.until("it is complete", () ->
            Tool.run(cluster, command, "describe", "--transactional-id", id).contains("CompleteCommit"));
        contains(Tool.failing(cluster, command, "describe", "--transactional-id", id + "x"), "could not be found");
    }

    /** By the marker of a hanging transaction, and by the transaction's own id. */
    private static void endsTransaction(Cluster cluster) throws Exception {
        String command = TOOLS + "TransactionsCommand";
        String topic = cluster.topic(1);
        String id = Cluster.name("tx");
        KafkaProducer<String, String> producer = cluster.transactional(id);
        producer.beginTransaction();
        producer.send(new ProducerRecord<>(topic, "value")).get();
        Tool.run(cluster, command, "abort", "--topic", topic, "--partition", "0", "--start-offset", "0");
        Check.until("readers go on", () -> Tool.run(cluster, command, "describe-producers", "--topic", topic, "--partition", "0")
            .contains("None"));
        Check.equal(0, cluster.readAll(topic, "isolation.level", "read_committed").size(), "committed records");
        if (!Cluster.clientsAreOfKafka4()) return;
        String other = Cluster.name("tx");
        KafkaProducer<String, String> second = cluster.transactional(other);
        second.beginTransaction();
        second.send(new ProducerRecord<>(topic, "value")).get();
        Tool.run(cluster, command, "forceTerminateTransaction", "--transactionalId", other);
        // It does what a producer does that starts with the same id.
        Check.until("it is ended", () -> Tool.run(cluster, command, "describe", "--transactional-id", other).contains("Empty"));
        Check.fails(org.apache.kafka.common.KafkaException.class, () -> {
            second.commitTransaction();
            return null;
        });
    }

    private static void logFolders(Cluster cluster) throws Exception {
        String topic = cluster.topic(2);
        String command = TOOLS + "LogDirsCommand";
        contains(Tool.run(cluster, command, "--describe", "--topic-list", topic), topic + "-0", topic + "-1", "\"error\":null");
        contains(Tool.run(cluster, command, "--describe", "--broker-list", "" + ToolCases.anyBroker(cluster)), topic + "-0");
        Tool.failing(cluster, command, "--describe", "--broker-list", "77");
    }

    private static void versions(Cluster cluster) throws Exception {
        String printed = Tool.run(cluster, Cluster.clientsAreOfKafka4()
            ? TOOLS + "BrokerApiVersionsCommand" : "kafka.admin.BrokerApiVersionsCommand");
        contains(printed, "Produce(0)", "Fetch(1)", "ApiVersions(18)");
    }

    private static void features(Cluster cluster) throws Exception {
        String command = TOOLS + "FeatureCommand";
        contains(Tool.run(cluster, command, "describe"), "metadata.version");
        // Says whether it could be done; nothing is changed.
        if (Cluster.clientsAreOfKafka4()) {
            contains(Tool.run(cluster, command, "downgrade", "--feature", "transaction.version=1", "--dry-run"),
                "transaction.version can be downgraded to 1.");
            contains(Tool.failing(cluster, command, "upgrade", "--feature", "transaction.version=99", "--dry-run"), "99");
        }
        contains(Tool.run(TOOLS + "ClusterTool", "", "cluster-id", "--bootstrap-server", cluster.bootstrap), "Cluster ID: ");
        if (!Cluster.clientsAreOfKafka4()) return;
        contains(Tool.run(TOOLS + "ClusterTool", "", "list-endpoints", "--bootstrap-server", cluster.bootstrap),
            "127.0.0.1", "unfenced", "broker");
    }

    private static void quorum(Cluster cluster) throws Exception {
        String command = TOOLS + "MetadataQuorumCommand";
        contains(Tool.run(cluster, command, "describe", "--status"), "ClusterId:", "LeaderId:", "HighWatermark:", "CurrentVoters:");
        contains(Tool.run(cluster, command, "describe", "--replication"), "LogEndOffset", "Leader");
        contains(Tool.run(cluster, command, "describe", "--replication", "--human-readable"), "ms ago");
    }

    private static void election(Cluster cluster) throws Exception {
        String topic = cluster.topic(2);
        String command = TOOLS + "LeaderElectionCommand";
        contains(Tool.run(cluster, command, "--election-type", "preferred", "--topic", topic, "--partition", "0"),
            "Valid replica already elected for partitions " + topic + "-0");
        contains(inFile("{\"partitions\": [{\"topic\": \"" + topic + "\", \"partition\": 1}]}", file -> Tool.run(cluster, command,
            "--election-type", "unclean", "--path-to-json-file", file)), "Valid replica already elected for partitions " + topic + "-1");
        Tool.run(cluster, command, "--election-type", "preferred", "--all-topic-partitions");
        contains(Tool.failing(cluster, command, "--election-type", "preferred", "--topic", topic, "--partition", "9"),
            "UnknownTopicOrPartitionException");
    }

    private static void reassign(Cluster cluster) throws Exception {
        String command = TOOLS + "reassign.ReassignPartitionsCommand";
        String topic = cluster.topic(2);
        String broker = "" + ToolCases.anyBroker(cluster);
        String generated = inFile("{\"topics\":[{\"topic\":\"" + topic + "\"}],\"version\":1}", file ->
            Tool.run(cluster, command, "--generate", "--topics-to-move-json-file", file, "--broker-list", broker));
        contains(generated, "Current partition replica assignment", "Proposed partition reassignment configuration",
            "{\"topic\":\"" + topic + "\",\"partition\":1,\"replicas\":[" + broker + "],\"log_dirs\":[\"any\"]}");
        String plan = generated.substring(generated.indexOf('{', generated.indexOf("Proposed"))).trim();
        contains(inFile(plan, file -> Tool.run(cluster, command, "--execute", "--reassignment-json-file", file,
            "--throttle", "1000000")), "Successfully started partition reassignments for " + topic + "-0," + topic + "-1");
        Check.until("it is done", () -> inFile(plan, file -> Tool.run(cluster, command, "--verify", "--reassignment-json-file", file))
            .contains("Reassignment of partition " + topic + "-1 is completed."));
        contains(Tool.run(cluster, command, "--list"), "No partition reassignments found.");
        contains(inFile(plan, file -> Tool.run(cluster, command, "--cancel", "--reassignment-json-file", file)),
            "None of the specified partition moves are active.");
        String wrong = plan.replace("[" + broker + "]", "[77]");
        contains(inFile(wrong, file -> Tool.failing(cluster, command, "--execute", "--reassignment-json-file", file)), "77");
    }

    private static void notThere(Cluster cluster) throws Exception {
        Tool.failing(cluster, TOOLS + "DelegationTokenCommand", "--describe", "--command-config", "/dev/null");
        Tool.run(cluster, TOOLS + "ClientMetricsCommand", "--list");
    }

    private AdminToolCases() {}
}
