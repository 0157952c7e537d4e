package millrace.cases;

import static millrace.cases.Tool.GROUPS;
import static millrace.cases.Tool.TOOLS;
import static millrace.cases.Tool.contains;
import static millrace.cases.Tool.lacks;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;

/** kafka-consumer-groups and kafka-groups. */
final class GroupToolCases {
    static void addTo(Suite suite) {
        suite.addAlone("tool: kafka-consumer-groups lists, describes and deletes", GroupToolCases::groups);
        suite.addAlone("tool: kafka-consumer-groups resets offsets in every way", GroupToolCases::reset);
        suite.addAlone("tool: kafka-consumer-groups resets offsets of many topics and groups, and from a file",
            GroupToolCases::resetMany);
        suite.addAlone("tool: kafka-consumer-groups deletes offsets of topics and partitions", GroupToolCases::deleteOffsets);
        for (String protocol : List.of("classic", "consumer")) {
            suite.addAlone("tool: kafka-consumer-groups describes members, and spares a group of the " + protocol
                + " protocol that is at work", cluster -> atWork(cluster, protocol));
        }
        suite.addAlone("tool: kafka-groups lists by protocol", GroupToolCases::byProtocol);
    }

    private static void commit(Cluster cluster, String group, String topic, long... offsets) throws Exception {
        Map<TopicPartition, OffsetAndMetadata> all = new HashMap<>();
        for (int i = 0; i < offsets.length; i++) all.put(new TopicPartition(topic, i), new OffsetAndMetadata(offsets[i]));
        cluster.admin().alterConsumerGroupOffsets(group, all).all().get();
    }

    /** The committed offsets of a group: topic-partition=offset. */
    private static String committed(Cluster cluster, String group) throws Exception {
        Map<String, Long> offsets = new TreeMap<>();
        cluster.admin().listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata().get()
            .forEach((partition, offset) -> offsets.put(partition.toString(), offset.offset()));
        return offsets.toString();
    }

    private static void groups(Cluster cluster) throws Exception {
        String topic = cluster.topic(2);
        String group = Cluster.name("group");
        cluster.fill(topic, 20);
        commit(cluster, group, topic, 1, 2);
        contains(Tool.run(cluster, GROUPS, "--list"), group);
        contains(Tool.run(cluster, GROUPS, "--list", "--state"), "STATE", "Empty");
        contains(Tool.run(cluster, GROUPS, "--list", "--state", "empty"), group);
        lacks(Tool.run(cluster, GROUPS, "--list", "--state", "stable"), group);
        contains(Tool.run(cluster, GROUPS, "--list", "--type", "classic"), group);
        lacks(Tool.run(cluster, GROUPS, "--list", "--type", "consumer"), group);
        contains(Tool.run(cluster, GROUPS, "--describe", "--group", group), topic, "LAG", "has no active members");
        contains(Tool.run(cluster, GROUPS, "--describe", "--group", group, "--verbose"), topic);
        contains(Tool.run(cluster, GROUPS, "--describe", "--group", group, "--state"), "Empty");
        contains(Tool.run(cluster, GROUPS, "--describe", "--all-groups", "--offsets"), group);
        contains(Tool.run(cluster, GROUPS, "--describe", "--group", group, "--members"), "has no active members");
        String missing = Tool.run(cluster, GROUPS, "--describe", "--group", group + "x");
        contains(missing, group + "x", "not");
        contains(Tool.run(cluster, GROUPS, "--delete", "--group", group + "x"), "GroupIdNotFoundException");
        contains(Tool.run(cluster, GROUPS, "--delete", "--group", group), "successful");
        lacks(Tool.run(cluster, GROUPS, "--list"), group);
    }

    private static void reset(Cluster cluster) throws Exception {
        String topic = cluster.topic(1);
        String group = Cluster.name("group");
        long now = System.currentTimeMillis();
        long start = now - Duration.ofHours(10).toMillis();
        KafkaProducer<String, String> feed = cluster.producer();
        // One record an hour, the last one an hour ago.
        for (int i = 0; i < 10; i++) {
            feed.send(new ProducerRecord<>(topic, 0, start + Duration.ofHours(i).toMillis(), "key", "value-" + i));
        }
        feed.flush();
        DateTimeFormatter format = DateTimeFormatter.ofPattern("yyyy-MM-dd'T'HH:mm:ss.SSS").withZone(ZoneOffset.UTC);
        Instant third = Instant.ofEpochMilli(start).plus(Duration.ofHours(3));
        Map<List<String>, Integer> ways = new HashMap<>();
        ways.put(List.of("--to-earliest"), 0);
        ways.put(List.of("--to-latest"), 10);
        ways.put(List.of("--to-current"), 5);
        ways.put(List.of("--to-offset", "7"), 7);
        // Beyond the end and before the beginning: the nearest one there is.
        ways.put(List.of("--to-offset", "70"), 10);
        ways.put(List.of("--shift-by", "-2"), 3);
        ways.put(List.of("--shift-by", "2"), 7);
        ways.put(List.of("--shift-by", "-20"), 0);
        ways.put(List.of("--by-duration", "PT4H30M"), 6);
        ways.put(List.of("--to-datetime", format.format(third)), 3);
        ways.put(List.of("--to-datetime", format.format(third.plusMillis(1)) + "Z"), 4);
        ways.put(List.of("--to-datetime", format.format(Instant.ofEpochMilli(now))), 10);
        for (Map.Entry<List<String>, Integer> way : ways.entrySet()) {
            commit(cluster, group, topic, 5);
            resetTo(cluster, group, topic, way.getKey(), "--dry-run");
            Check.equal("{" + topic + "-0=5}", committed(cluster, group), "offset after a dry run of " + way.getKey());
            resetTo(cluster, group, topic, way.getKey(), "--execute");
            Check.equal("{" + topic + "-0=" + way.getValue() + "}", committed(cluster, group), "offset after " + way.getKey());
        }
    }

    private static String resetTo(Cluster cluster, String group, String topic, List<String> way, String mode) throws Exception {
        List<String> arguments = new ArrayList<>(List.of("--reset-offsets", "--group", group, "--topic", topic, mode));
        arguments.addAll(way);
        return Tool.run(cluster, GROUPS, arguments.toArray(String[]::new));
    }

    private static void resetMany(Cluster cluster) throws Exception {
        String one = cluster.topic(2);
        String two = cluster.topic(1);
        for (String topic : List.of(one, two)) {
            KafkaProducer<String, String> feed = cluster.producer();
            for (int i = 0; i < 10; i++) feed.send(new ProducerRecord<>(topic, topic.equals(one) ? i % 2 : 0, "", ""));
            feed.flush();
        }
        List<String> groups = List.of(Cluster.name("group"), Cluster.name("group"));
        for (String group : groups) {
            commit(cluster, group, one, 1, 2);
            commit(cluster, group, two, 3);
        }
        // Partitions by number; then everything that the groups have offsets of.
        Tool.run(cluster, GROUPS, "--reset-offsets", "--group", groups.get(0), "--topic", one + ":1", "--to-latest", "--execute");
        Check.equal("{" + one + "-0=1, " + one + "-1=5, " + two + "-0=3}", committed(cluster, groups.get(0)), "one partition");
        String plan = Tool.run(cluster, GROUPS, "--reset-offsets", "--group", groups.get(0), "--all-topics", "--shift-by", "1",
            "--dry-run", "--export");
        contains(plan, one + ",0,2", two + ",0,4");
        Tool.run(cluster, GROUPS, "--reset-offsets", "--group", groups.get(0), "--group", groups.get(1), "--all-topics",
            "--to-earliest", "--execute");
        for (String group : groups) {
            Check.equal("{" + one + "-0=0, " + one + "-1=0, " + two + "-0=0}", committed(cluster, group), "all topics");
        }
        Path file = Files.createTempFile("millrace-offsets", ".csv");
        try {
            Files.writeString(file, one + ",0,4\n" + two + ",0,2\n");
            Tool.run(cluster, GROUPS, "--reset-offsets", "--group", groups.get(1), "--from-file", file.toString(), "--execute");
        } finally {
            Files.delete(file);
        }
        Check.equal("{" + one + "-0=4, " + one + "-1=0, " + two + "-0=2}", committed(cluster, groups.get(1)), "from a file");
        String unknown = Cluster.name("group");
        Tool.run(cluster, GROUPS, "--reset-offsets", "--group", unknown, "--topic", two, "--to-offset", "6", "--execute");
        Check.equal("{" + two + "-0=6}", committed(cluster, unknown), "a group that was not there");
    }

    private static void deleteOffsets(Cluster cluster) throws Exception {
        String one = cluster.topic(2);
        String two = cluster.topic(1);
        String group = Cluster.name("group");
        commit(cluster, group, one, 1, 2);
        commit(cluster, group, two, 3);
        contains(Tool.run(cluster, GROUPS, "--delete-offsets", "--group", group, "--topic", one + ":1"), "Successful");
        Check.equal("{" + one + "-0=1, " + two + "-0=3}", committed(cluster, group), "without a partition");
        Tool.run(cluster, GROUPS, "--delete-offsets", "--group", group, "--topic", one, "--topic", two);
        Check.equal("{}", committed(cluster, group), "without its topics");
    }

    private static void atWork(Cluster cluster, String protocol) throws Exception {
        String topic = cluster.topic(2);
        String group = Cluster.name("group");
        cluster.fill(topic, 20);
        Member member = new Member(cluster, cluster.consumer(group, "group.protocol", protocol, "client.id", "worker"), List.of(topic));
        Member.untilShared(2, member);
        Check.until("all is committed", () -> committed(cluster, group).matches(".*=\\d+, .*=\\d+.*"));
        contains(Tool.run(cluster, GROUPS, "--describe", "--group", group, "--members", "--verbose"),
            group, "/127.0.0.1", "worker", "0,1");
        contains(Tool.run(cluster, GROUPS, "--describe", "--group", group, "--state", "--verbose"), "Stable",
            protocol.equals("classic") ? "range" : "uniform");
        contains(Tool.run(cluster, GROUPS, "--describe", "--group", group), "worker", topic);
        contains(Tool.run(cluster, GROUPS, "--list", "--type", protocol), group);
        String before = committed(cluster, group);
        // The tool says so and ends as if all were well.
        contains(Tool.run(cluster, GROUPS, "--reset-offsets", "--group", group, "--topic", topic, "--to-earliest", "--execute"),
            "Assignments can only be reset if the group '" + group + "' is inactive");
        contains(Tool.run(cluster, GROUPS, "--delete", "--group", group), "GroupNotEmptyException");
        contains(Tool.run(cluster, GROUPS, "--delete-offsets", "--group", group, "--topic", topic), "GroupSubscribedToTopicException");
        Check.equal(before, committed(cluster, group), "offsets after all that");
        member.close();
        Check.until("it is empty", () -> Tool.run(cluster, GROUPS, "--describe", "--group", group, "--state").contains("Empty"));
        contains(Tool.run(cluster, GROUPS, "--delete", "--group", group), "successful");
    }

    private static void byProtocol(Cluster cluster) throws Exception {
        if (!Cluster.clientsAreOfKafka4()) throw new Skipped("kafka-groups came with Kafka 4");
        String topic = cluster.topic(1);
        Map<String, String> groups = new HashMap<>();
        for (String protocol : List.of("classic", "consumer")) {
            String group = Cluster.name("group");
            groups.put(protocol, group);
            Member.untilShared(1, new Member(cluster, cluster.consumer(group, "group.protocol", protocol), List.of(topic)));
        }
        String command = TOOLS + "GroupsCommand";
        contains(Tool.run(cluster, command, "--list"), groups.get("classic"), groups.get("consumer"), "Classic", "Consumer");
        String consumers = Tool.run(cluster, command, "--list", "--group-type", "consumer");
        contains(consumers, groups.get("consumer"));
        lacks(consumers, groups.get("classic"));
        contains(Tool.run(cluster, command, "--list", "--consumer"), groups.get("classic"), groups.get("consumer"));
        contains(Tool.run(cluster, command, "--list", "--protocol", "consumer"), groups.get("classic"));
    }

    private GroupToolCases() {}
}
