package millrace.cases;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.lang.reflect.InvocationTargetException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.utils.Exit;

/** Kafka's command line tools, run in this process with their output caught. */
final class ToolCases {
    private static final String TOOLS = "org.apache.kafka.tools.";
    private static final String GROUPS = "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand";
    private static final String CONSUMER = "org.apache.kafka.tools.consumer.ConsoleConsumer";

    static void addTo(Suite suite) {
        suite.addAlone("tool: kafka-topics creates, lists, describes, alters and deletes", ToolCases::topics);
        suite.addAlone("tool: kafka-console-producer and -consumer", ToolCases::console);
        suite.addAlone("tool: kafka-consumer-groups lists, describes, resets and deletes", ToolCases::groups);
        suite.addAlone("tool: kafka-configs describes and alters", ToolCases::configs);
        suite.addAlone("tool: kafka-get-offsets and kafka-delete-records", ToolCases::offsets);
        suite.addAlone("tool: kafka-transactions lists, describes and finds nothing hanging", ToolCases::transactions);
        suite.addAlone("tool: kafka-log-dirs", ToolCases::logFolders);
        suite.addAlone("tool: kafka-broker-api-versions", ToolCases::versions);
        suite.addAlone("tool: kafka-features and kafka-cluster", ToolCases::features);
        suite.addAlone("tool: kafka-producer-perf-test and kafka-consumer-perf-test", ToolCases::performance);
        suite.addAlone("tool: ClientCompatibilityTest", ToolCases::compatibility);
        suite.addAlone("tool: kafka-leader-election", ToolCases::election);
    }

    /**
     * What tools print to. Tools written in Scala keep the stream that was System.out when they first
     * printed, so that must always be the same one.
     */
    private static final class Printed extends OutputStream {
        volatile OutputStream target = OutputStream.nullOutputStream();

        @Override
        public void write(int letter) throws IOException {
            target.write(letter);
        }

        @Override
        public void write(byte[] bytes, int from, int count) throws IOException {
            target.write(bytes, from, count);
        }
    }

    private static final Printed PRINTED = new Printed();

    static {
        System.setOut(new PrintStream(PRINTED, true));
        System.setErr(new PrintStream(PRINTED, true));
    }

    /** Thrown where a tool asks for the end of the process. Some tools catch it, and ask again. */
    private static final class Exited extends RuntimeException {}

    /** Runs a tool's main method and answers what it printed; fails when its exit code is not 0. */
    private static String run(String type, String input, String... arguments) throws Exception {
        ByteArrayOutputStream printed = new ByteArrayOutputStream();
        PRINTED.target = printed;
        AtomicReference<Integer> firstCode = new AtomicReference<>();
        InputStream keyboard = System.in;
        Exit.Procedure exit = (code, message) -> {
            firstCode.compareAndSet(null, code);
            throw new Exited();
        };
        Exit.setExitProcedure(exit);
        Exit.setHaltProcedure(exit);
        Throwable problem = null;
        try {
            System.setIn(new ByteArrayInputStream(input.getBytes(StandardCharsets.UTF_8)));
            Class.forName(type).getMethod("main", String[].class).invoke(null, (Object) arguments);
        } catch (InvocationTargetException failed) {
            if (!(failed.getCause() instanceof Exited)) problem = failed.getCause();
        } finally {
            System.setIn(keyboard);
            Exit.resetExitProcedure();
            Exit.resetHaltProcedure();
        }
        Integer code = firstCode.get();
        if (problem != null || code != null && code != 0) {
            throw new AssertionError(type + " failed with " + code + ", " + problem + "; it printed: " + printed, problem);
        }
        return printed.toString(StandardCharsets.UTF_8);
    }

    private static String tool(Cluster cluster, String type, String... arguments) throws Exception {
        List<String> all = new ArrayList<>(List.of("--bootstrap-server", cluster.bootstrap));
        all.addAll(List.of(arguments));
        return run(type, "", all.toArray(String[]::new));
    }

    private static void contains(String printed, String... parts) {
        for (String part : parts) Check.that(printed.contains(part), "«" + part + "» is printed, in: " + printed);
    }

    private static void topics(Cluster cluster) throws Exception {
        String command = TOOLS + "TopicCommand";
        String name = Cluster.name("topic");
        contains(tool(cluster, command, "--create", "--topic", name, "--partitions", "3", "--replication-factor", "1",
            "--config", "retention.ms=5000"), "Created topic " + name);
        contains(tool(cluster, command, "--list"), name);
        contains(tool(cluster, command, "--describe", "--topic", name),
            "PartitionCount: 3", "retention.ms=5000", "Partition: 2", "Isr:");
        tool(cluster, command, "--alter", "--topic", name, "--partitions", "5");
        contains(tool(cluster, command, "--describe", "--topic", name), "PartitionCount: 5");
        String missing = tool(cluster, command, "--describe", "--under-replicated-partitions", "--topic", name);
        Check.that(!missing.contains("Partition:"), "no partition lacks a replica: " + missing);
        tool(cluster, command, "--delete", "--topic", name);
        Check.until("it is not listed", () -> !tool(cluster, command, "--list").contains(name));
    }

    private static void console(Cluster cluster) throws Exception {
        String topic = cluster.topic(2);
        String producer = Cluster.clientsAreOfKafka4() ? TOOLS + "ConsoleProducer" : "kafka.tools.ConsoleProducer";
        run(producer, "one:eins\ntwo:zwei\nthree:drei\n", "--bootstrap-server", cluster.bootstrap,
            "--topic", topic, "--property", "parse.key=true", "--property", "key.separator=:");
        String read = tool(cluster, CONSUMER, "--topic", topic, "--from-beginning", "--max-messages", "3",
            "--property", "print.key=true", "--group", Cluster.name("group"));
        contains(read, "one\teins", "two\tzwei", "three\tdrei");
    }

    private static void groups(Cluster cluster) throws Exception {
        String topic = cluster.topic(2);
        String group = Cluster.name("group");
        cluster.fill(topic, 20);
        TopicPartition partition = new TopicPartition(topic, 0);
        cluster.admin().alterConsumerGroupOffsets(group, Map.of(partition, new OffsetAndMetadata(1))).all().get();
        contains(tool(cluster, GROUPS, "--list"), group);
        contains(tool(cluster, GROUPS, "--describe", "--group", group), topic, "LAG");
        contains(tool(cluster, GROUPS, "--describe", "--group", group, "--state"), "Empty");
        contains(tool(cluster, GROUPS, "--describe", "--all-groups", "--offsets"), group);
        tool(cluster, GROUPS, "--group", group, "--topic", topic, "--reset-offsets", "--to-latest", "--execute");
        long sum = cluster.admin().listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata().get().values()
            .stream().mapToLong(OffsetAndMetadata::offset).sum();
        Check.equal(20L, sum, "sum of the offsets after the reset");
        tool(cluster, GROUPS, "--group", group, "--delete-offsets", "--topic", topic);
        Member member = new Member(cluster, cluster.consumer(group), List.of(topic));
        Member.untilShared(2, member);
        contains(tool(cluster, GROUPS, "--describe", "--group", group, "--members", "--verbose"), group, "/127.0.0.1");
        member.close();
        Check.until("it is empty", () -> tool(cluster, GROUPS, "--describe", "--group", group, "--state").contains("Empty"));
        contains(tool(cluster, GROUPS, "--delete", "--group", group), "successful");
    }

    private static void configs(Cluster cluster) throws Exception {
        String command = "kafka.admin.ConfigCommand";
        String topic = cluster.topic(1);
        int broker = cluster.admin().describeCluster().nodes().get().iterator().next().id();
        tool(cluster, command, "--alter", "--entity-type", "topics", "--entity-name", topic,
            "--add-config", "retention.ms=4321,cleanup.policy=[compact,delete]");
        Check.until("it is described", () -> tool(cluster, command, "--describe", "--entity-type", "topics",
            "--entity-name", topic).contains("retention.ms=4321"));
        tool(cluster, command, "--alter", "--entity-type", "topics", "--entity-name", topic,
            "--delete-config", "retention.ms");
        contains(tool(cluster, command, "--describe", "--entity-type", "brokers", "--entity-name", "" + broker, "--all"),
            "num.partitions", "log.retention.hours");
        tool(cluster, command, "--describe", "--entity-type", "topics");
    }

    private static void offsets(Cluster cluster) throws Exception {
        String topic = cluster.topic(1);
        cluster.fill(topic, 10);
        String command = TOOLS + "GetOffsetShell";
        contains(tool(cluster, command, "--topic", topic), topic + ":0:10");
        Path file = Files.createTempFile("millrace-delete", ".json");
        try {
            Files.writeString(file, "{\"partitions\": [{\"topic\": \"" + topic
                + "\", \"partition\": 0, \"offset\": 4}], \"version\": 1}");
            contains(tool(cluster, TOOLS + "DeleteRecordsCommand", "--offset-json-file", file.toString()), "low_watermark: 4");
        } finally {
            Files.delete(file);
        }
        contains(tool(cluster, command, "--topic", topic, "--time", "earliest"), topic + ":0:4");
        contains(tool(cluster, command, "--topic", topic, "--time", "max-timestamp"), topic + ":0:");
    }

    private static void transactions(Cluster cluster) throws Exception {
        String command = TOOLS + "TransactionsCommand";
        String topic = cluster.topic(1);
        String id = Cluster.name("tx");
        int broker = cluster.admin().describeCluster().nodes().get().iterator().next().id();
        KafkaProducer<String, String> producer = cluster.transactional(id);
        producer.beginTransaction();
        producer.send(new ProducerRecord<>(topic, "value")).get();
        contains(tool(cluster, command, "list"), id, "Ongoing");
        contains(tool(cluster, command, "describe", "--transactional-id", id), topic + "-0");
        contains(tool(cluster, command, "describe-producers", "--topic", topic, "--partition", "0"), "CurrentTransactionStartOffset");
        tool(cluster, command, "find-hanging", "--broker-id", "" + broker);
        producer.commitTransaction();
        Check.until("it is complete", () ->
            tool(cluster, command, "describe", "--transactional-id", id).contains("CompleteCommit"));
    }

    private static void logFolders(Cluster cluster) throws Exception {
        String topic = cluster.topic(2);
        contains(tool(cluster, TOOLS + "LogDirsCommand", "--describe", "--topic-list", topic), topic + "-0", topic + "-1");
    }

    private static void versions(Cluster cluster) throws Exception {
        String printed = tool(cluster, Cluster.clientsAreOfKafka4()
            ? TOOLS + "BrokerApiVersionsCommand" : "kafka.admin.BrokerApiVersionsCommand");
        contains(printed, "Produce(0)", "Fetch(1)", "ApiVersions(18)");
    }

    private static void features(Cluster cluster) throws Exception {
        tool(cluster, TOOLS + "FeatureCommand", "describe");
        contains(run(TOOLS + "ClusterTool", "", "cluster-id", "--bootstrap-server", cluster.bootstrap), "Cluster ID: ");
    }

    private static void performance(Cluster cluster) throws Exception {
        String topic = cluster.topic(2);
        contains(run(TOOLS + "ProducerPerformance", "", "--topic", topic, "--num-records", "20000",
            "--record-size", "100", "--throughput", "-1", "--producer-props", "bootstrap.servers=" + cluster.bootstrap),
            "20000 records sent");
        String read = tool(cluster, TOOLS + "ConsumerPerformance", "--topic", topic, "--messages", "20000",
            "--timeout", "20000");
        contains(read, "20000");
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
        tool(cluster, TOOLS + "ClientCompatibilityTest", arguments.toArray(String[]::new));
    }

    private static void election(Cluster cluster) throws Exception {
        String topic = cluster.topic(1);
        contains(tool(cluster, TOOLS + "LeaderElectionCommand",
            "--election-type", "preferred", "--topic", topic, "--partition", "0"), "Valid replica already elected");
    }

    private ToolCases() {}
}
