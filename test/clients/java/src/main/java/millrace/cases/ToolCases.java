package millrace.cases;

import static millrace.cases.Tool.CONSUMER;
import static millrace.cases.Tool.TOOLS;
import static millrace.cases.Tool.TOPICS;
import static millrace.cases.Tool.contains;
import static millrace.cases.Tool.lacks;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;

/** Kafka's command line tools: topics, and whatever writes and reads records. */
final class ToolCases {
    static void addTo(Suite suite) {
        suite.addAlone("tool: kafka-topics creates, lists, describes, alters and deletes", ToolCases::topics);
        suite.addAlone("tool: kafka-topics refuses what cannot be, and describes by health and override", ToolCases::unusualTopics);
        suite.addAlone("tool: kafka-console-producer and -consumer", ToolCases::console);
        for (String codec : List.of("gzip", "snappy", "lz4", "zstd")) {
            suite.addAlone("tool: kafka-console-producer and -consumer with " + codec, cluster -> codec(cluster, codec));
        }
        suite.addAlone("tool: kafka-console-consumer reads commits, groups and transactions from internal topics",
            ToolCases::internalTopics);
        suite.addAlone("tool: kafka-producer-perf-test and kafka-consumer-perf-test", ToolCases::performance);
        suite.addAlone("tool: kafka-producer-perf-test in transactions", ToolCases::transactionalPerformance);
        suite.addAlone("tool: kafka-e2e-latency", ToolCases::latency);
        suite.addAlone("tool: kafka-verifiable-producer and -consumer", ToolCases::verifiable);
        suite.addAlone("tool: TransactionalMessageCopier copies once", ToolCases::copier);
        suite.addAlone("tool: ClientCompatibilityTest", ToolCases::compatibility);
        suite.addAlone("tool: kafka-streams-application-reset", ToolCases::resetter);
    }

    private static void topics(Cluster cluster) throws Exception {
        String name = Cluster.name("topic");
        contains(Tool.run(cluster, TOPICS, "--create", "--topic", name, "--partitions", "3", "--replication-factor", "1",
            "--config", "retention.ms=5000"), "Created topic " + name);
        contains(Tool.run(cluster, TOPICS, "--list"), name);
        contains(Tool.run(cluster, TOPICS, "--list", "--topic", name.substring(0, name.length() - 1) + "."), name);
        String described = Tool.run(cluster, TOPICS, "--describe", "--topic", name);
        contains(described, "PartitionCount: 3", "ReplicationFactor: 1", "retention.ms=5000", "Partition: 2", "Isr:");
        String id = described.replaceAll("(?s).*TopicId: (\\S+).*", "$1");
        contains(Tool.run(cluster, TOPICS, "--describe", "--topic-id", id), "Topic: " + name);
        Tool.run(cluster, TOPICS, "--alter", "--topic", name, "--partitions", "5");
        contains(Tool.run(cluster, TOPICS, "--describe", "--topic", name), "PartitionCount: 5");
        Tool.run(cluster, TOPICS, "--delete", "--topic", name);
        Check.until("it is not listed", () -> !Tool.run(cluster, TOPICS, "--list").contains(name));
    }

    private static void unusualTopics(Cluster cluster) throws Exception {
        String name = Cluster.name("topic");
        int broker = anyBroker(cluster);
        Tool.run(cluster, TOPICS, "--create", "--topic", name, "--replica-assignment", broker + "," + broker,
            "--config", "cleanup.policy=compact");
        contains(Tool.failing(cluster, TOPICS, "--create", "--topic", name), "already exists");
        Tool.run(cluster, TOPICS, "--create", "--topic", name, "--if-not-exists");
        contains(Tool.failing(cluster, TOPICS, "--create", "--topic", "a b"), "'a b'");
        contains(Tool.failing(cluster, TOPICS, "--create", "--topic", name + "x", "--replication-factor", "99"),
            "99");
        contains(Tool.failing(cluster, TOPICS, "--create", "--topic", name + "x", "--partitions", "0"), "partition");
        contains(Tool.failing(cluster, TOPICS, "--create", "--topic", name + "x", "--config", "retention.ms=soon"), "retention.ms");
        contains(Tool.failing(cluster, TOPICS, "--alter", "--topic", name, "--partitions", "1"), "partition");
        contains(Tool.failing(cluster, TOPICS, "--describe", "--topic", name + "x"), "does not exist as expected");
        Tool.run(cluster, TOPICS, "--delete", "--topic", name + "x", "--if-exists");
        contains(Tool.run(cluster, TOPICS, "--describe", "--topics-with-overrides"), name, "cleanup.policy=compact");
        for (String health : List.of("--under-replicated-partitions", "--unavailable-partitions", "--under-min-isr-partitions")) {
            lacks(Tool.run(cluster, TOPICS, "--describe", health, "--topic", name), "Partition:");
        }
        contains(Tool.run(cluster, TOPICS, "--describe", "--at-min-isr-partitions", "--topic", name), "Partition: 1");
        lacks(Tool.run(cluster, TOPICS, "--list", "--exclude-internal"), "__consumer_offsets");
    }

    static int anyBroker(Cluster cluster) throws Exception {
        return cluster.admin().describeCluster().nodes().get().iterator().next().id();
    }

    private static String consoleProducer() {
        return Cluster.clientsAreOfKafka4() ? TOOLS + "ConsoleProducer" : "kafka.tools.ConsoleProducer";
    }

    private static void console(Cluster cluster) throws Exception {
        String topic = cluster.topic(2);
        Tool.run(consoleProducer(), "h:1\tone:eins\nh:2,i:3\ttwo:zwei\nh:4\tthree:NULL\n", "--bootstrap-server", cluster.bootstrap,
            "--topic", topic, "--property", "parse.key=true", "--property", "key.separator=:",
            "--property", "parse.headers=true", "--property", "null.marker=NULL");
        String group = Cluster.name("group");
        String read = Tool.run(cluster, CONSUMER, "--topic", topic, "--from-beginning", "--max-messages", "3", "--group", group,
            "--property", "print.key=true", "--property", "print.headers=true", "--property", "print.timestamp=true",
            "--property", "print.offset=true", "--property", "print.partition=true");
        contains(read, "h:1\tone\teins", "h:2,i:3\ttwo\tzwei", "h:4\tthree\tnull", "CreateTime:", "Partition:", "Offset:0");
        contains(Tool.run(cluster, CONSUMER, "--topic", topic, "--partition", "0", "--offset", "earliest", "--timeout-ms", "1500"),
            "Processed a total of");
        Tool.run(consoleProducer(), "four\n", "--bootstrap-server", cluster.bootstrap, "--topic", topic, "--sync");
        String rest = Tool.run(cluster, CONSUMER, "--include", topic.substring(0, topic.length() - 1) + ".", "--group", group,
            "--max-messages", "1", "--isolation-level", "read_committed");
        contains(rest, "four");
        lacks(rest, "eins");
    }

    private static void codec(Cluster cluster, String codec) throws Exception {
        String topic = cluster.topic(1);
        Tool.run(consoleProducer(), "größer\n".repeat(200), "--bootstrap-server", cluster.bootstrap, "--topic", topic,
            "--compression-codec", codec);
        contains(Tool.run(cluster, CONSUMER, "--topic", topic, "--from-beginning", "--max-messages", "200"),
            "größer\n".repeat(200), "Processed a total of 200 messages");
    }

    private static void internalTopics(Cluster cluster) throws Exception {
        if (!Cluster.clientsAreOfKafka4()) throw new Skipped("the formatters of Kafka 3.9 stop at what Kafka 4 writes");
        String topic = cluster.topic(1);
        String group = Cluster.name("group");
        String transaction = Cluster.name("tx");
        cluster.fill(topic, 7);
        Tool.run(cluster, CONSUMER, "--topic", topic, "--from-beginning", "--max-messages", "7", "--group", group);
        KafkaProducer<String, String> producer = cluster.transactional(transaction);
        producer.beginTransaction();
        producer.send(new ProducerRecord<>(topic, "value")).get();
        producer.commitTransaction();
        String formatters = TOOLS + "consumer.";
        contains(internal(cluster, "__consumer_offsets", formatters + "OffsetsMessageFormatter"),
            group, "\"topic\":\"" + topic + "\"", "\"offset\":7");
        contains(internal(cluster, "__consumer_offsets", formatters + "GroupMetadataMessageFormatter"),
            group, "\"protocolType\":\"consumer\"", "\"protocol\":\"range\"", "\"clientHost\":\"/127.0.0.1\"");
        contains(internal(cluster, "__transaction_state", formatters + "TransactionLogMessageFormatter"),
            transaction, "\"partitionIds\":[0]");
    }

    private static String internal(Cluster cluster, String topic, String formatter) throws Exception {
        return Tool.run(cluster, CONSUMER, "--topic", topic, "--from-beginning", "--formatter", formatter, "--timeout-ms", "2000");
    }

    private static void performance(Cluster cluster) throws Exception {
        String topic = cluster.topic(2);
        contains(Tool.run(TOOLS + "ProducerPerformance", "", "--topic", topic, "--num-records", "20000",
            "--record-size", "100", "--throughput", "-1", "--producer-props", "bootstrap.servers=" + cluster.bootstrap),
            "20000 records sent");
        String read = Tool.run(cluster, TOOLS + "ConsumerPerformance", "--topic", topic, "--messages", "20000",
            "--timeout", "20000");
        contains(read, "20000");
    }

    private static void transactionalPerformance(Cluster cluster) throws Exception {
        String topic = cluster.topic(2);
        contains(Tool.run(TOOLS + "ProducerPerformance", "", "--topic", topic, "--num-records", "5000", "--record-size", "100",
            "--throughput", "-1", "--transactional-id", Cluster.name("tx"), "--transaction-duration-ms", "20",
            "--producer-props", "bootstrap.servers=" + cluster.bootstrap, "compression.type=zstd"), "5000 records sent");
        Check.equal(5000, cluster.readAll(topic, "isolation.level", "read_committed").size(), "committed records");
    }

    private static void latency(Cluster cluster) throws Exception {
        String topic = cluster.topic(1);
        contains(Tool.run(TOOLS + "EndToEndLatency", "", cluster.bootstrap, topic, "50", "all", "100"),
            "Avg latency:", "Percentiles: 50th");
    }

    private static void verifiable(Cluster cluster) throws Exception {
        String topic = cluster.topic(3);
        contains(Tool.inProcess(cluster, TOOLS + "VerifiableProducer", "--topic", topic, "--max-messages", "60", "--throughput", "-1"),
            "\"name\":\"producer_send_success\"", "\"sent\":60,\"acked\":60");
        for (String protocol : List.of("classic", "consumer")) {
            List<String> arguments = new ArrayList<>(List.of("--topic", topic, "--group-id", Cluster.name("group"),
                "--group-protocol", protocol, "--max-messages", "60", "--reset-policy", "earliest"));
            if (protocol.equals("consumer")) arguments.addAll(List.of("--group-remote-assignor", "range"));
            String read = Tool.inProcess(cluster, TOOLS + "VerifiableConsumer", arguments.toArray(String[]::new));
            contains(read, "partitions_assigned", "offsets_committed", "shutdown_complete");
            int count = 0;
            for (String line : read.split("\n")) {
                if (line.contains("\"records_consumed\"")) count += Integer.parseInt(line.replaceAll(".*?\"count\":(\\d+).*", "$1"));
            }
            Check.equal(60, count, "records read in the " + protocol + " protocol");
        }
    }

    private static void copier(Cluster cluster) throws Exception {
        String input = cluster.topic(1);
        String output = cluster.topic(1);
        cluster.fill(input, 200);
        Tool.run(TOOLS + "TransactionalMessageCopier", "", "--broker-list", cluster.bootstrap,
            "--input-topic", input, "--input-partition", "0", "--output-topic", output, "--max-messages", "200",
            "--transaction-size", "20", "--transactional-id", Cluster.name("tx"), "--consumer-group", Cluster.name("group"),
            "--use-group-metadata", "--enable-random-aborts");
        List<ConsumerRecord<String, String>> read = cluster.readAll(output, "isolation.level", "read_committed");
        Check.equal(Cluster.values(cluster.readAll(input)), Cluster.values(read), "what was copied");
    }

    private static void compatibility(Cluster cluster) throws Exception {
        String topic = cluster.topic(1);
        // The tool creates a topic of this name.
        if (cluster.admin().listTopics().names().get().contains("newtopic")) {
            cluster.admin().deleteTopics(List.of("newtopic")).all().get();
        }
        List<String> arguments = new ArrayList<>(List.of("--topic", topic, "--num-cluster-nodes",
            "" + cluster.admin().describeCluster().nodes().get().size()));
        for (String feature : List.of("offsets-for-times-supported", "cluster-id-supported", "expect-record-too-large-exception",
                "create-topics-supported", "describe-acls-supported", "describe-configs-supported", "idempotent-producer-supported")) {
            arguments.add("--" + feature);
            // The newest clients are never told that a record is too large for them to fetch.
            arguments.add(feature.equals("expect-record-too-large-exception") ? "false" : "true");
        }
        Tool.run(cluster, TOOLS + "ClientCompatibilityTest", arguments.toArray(String[]::new));
    }

    private static void resetter(Cluster cluster) throws Exception {
        String input = cluster.topic(2);
        String application = Cluster.name("streams");
        String changelog = cluster.topicNamed(application + "-counts-changelog", 1);
        cluster.fill(input, 20);
        Tool.run(cluster, CONSUMER, "--topic", input, "--from-beginning", "--max-messages", "20", "--group", application);
        String reset = TOOLS + "StreamsResetter";
        contains(Tool.run(cluster, reset, "--application-id", application, "--input-topics", input, "--dry-run"),
            "Topic: " + input + " Partition: 0 Offset: 0", changelog);
        contains(Tool.run(cluster, reset, "--application-id", application, "--input-topics", input, "--shift-by", "-1"),
            "Topic: " + input + " Partition: 1");
        Check.until("its internal topic is gone", () -> !cluster.admin().listTopics().names().get(5, TimeUnit.SECONDS).contains(changelog));
    }

    private ToolCases() {}
}
