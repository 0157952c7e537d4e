package millrace.cases;

import static millrace.cases.Tool.TOOLS;
import static millrace.cases.Tool.contains;
import static millrace.cases.Tool.lacks;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;

/** Share groups (KIP-932): KafkaShareConsumer, kafka-share-groups and kafka-console-share-consumer. */
final class ShareCases {
    private static final String GROUPS = TOOLS + "consumer.group.ShareGroupCommand";
    private static final String EXPLICIT = "share.acknowledgement.mode";

    static void addTo(Suite suite) {
        suite.add("share: the next poll acknowledges what the last one brought", ShareCases::implicit);
        suite.add("share: records are accepted, released and rejected", ShareCases::explicit);
        suite.add("share: a record that is released again and again is given up", ShareCases::givenUp);
        suite.add("share: a lock that runs out gives the record to others", ShareCases::lockRunsOut);
        suite.add("share: members share one partition", ShareCases::shared);
        suite.add("share: a member that closes gives back what it has", ShareCases::closing);
        suite.add("share: a group begins where it is told to", ShareCases::begins);
        suite.add("share: aborted records are passed over where the group says so", ShareCases::committed);
        suite.add("share: a deleted topic can be made again", ShareCases::topicMadeAgain);
        suite.addAlone("tool: kafka-share-groups lists, describes and deletes", ShareCases::tool);
        suite.addAlone("tool: kafka-console-share-consumer reads, releases and rejects", ShareCases::console);
        suite.addAlone("tool: kafka-features switches share groups off and on", ShareCases::switched);
    }

    private static void implicit(Cluster cluster) throws Exception {
        String topic = cluster.topic(3);
        String group = ShareReader.group(cluster);
        cluster.fill(topic, 30);
        ShareReader reader = new ShareReader(cluster, group, topic);
        Set<String> values = new HashSet<>();
        for (ConsumerRecord<String, String> record : reader.take(30)) {
            Check.equal(1, ShareReader.deliveries(record), "deliveries of " + record.value());
            values.add(record.value());
        }
        Check.equal(30, values.size(), "different records");
        // What the last poll brought is acknowledged by the next one.
        reader.poll(100);
        reader.close();
        ShareReader later = new ShareReader(cluster, group, topic);
        Check.equal(List.of(), later.poll(1500), "records after all were acknowledged");
        cluster.fill(topic, 5);
        Check.equal(5, later.take(5).size(), "new records");
    }

    private static void explicit(Cluster cluster) throws Exception {
        String topic = cluster.topic(1);
        String group = ShareReader.group(cluster);
        cluster.fill(topic, 3);
        ShareReader reader = new ShareReader(cluster, group, topic, EXPLICIT, "explicit");
        List<ConsumerRecord<String, String>> records = reader.next();
        Check.equal(List.of("value-0 1", "value-1 1", "value-2 1"), ShareReader.told(records), "records");
        reader.acknowledge(records.get(0), "ACCEPT");
        reader.acknowledge(records.get(1), "RELEASE");
        reader.acknowledge(records.get(2), "REJECT");
        Check.equal(List.of(), reader.commit(), "errors");
        List<ConsumerRecord<String, String>> again = reader.next();
        Check.equal(List.of("value-1 2"), ShareReader.told(again), "what was released");
        Check.fails(IllegalStateException.class, () -> reader.poll(100));
        reader.acknowledge(again.get(0), "ACCEPT");
        Check.equal(List.of(), reader.commit(), "errors");
        Check.equal(List.of(), reader.poll(1000), "records that are left");
    }

    private static void givenUp(Cluster cluster) throws Exception {
        String topic = cluster.topic(1);
        String group = ShareReader.group(cluster);
        cluster.fill(topic, 1);
        ShareReader reader = new ShareReader(cluster, group, topic, EXPLICIT, "explicit");
        for (int delivery = 1; delivery <= 5; delivery++) {
            List<ConsumerRecord<String, String>> records = reader.next();
            Check.equal(List.of("value-0 " + delivery), ShareReader.told(records), "delivery " + delivery);
            reader.acknowledge(records.get(0), "RELEASE");
            Check.equal(List.of(), reader.commit(), "errors");
        }
        Check.equal(List.of(), reader.poll(1000), "after the last delivery");
    }

    private static void lockRunsOut(Cluster cluster) throws Exception {
        String topic = cluster.topic(1);
        String group = ShareReader.group(cluster, "share.record.lock.duration.ms", "1000");
        cluster.fill(topic, 2);
        ShareReader slow = new ShareReader(cluster, group, topic, EXPLICIT, "explicit");
        List<ConsumerRecord<String, String>> held = slow.next();
        Check.equal(List.of("value-0 1", "value-1 1"), ShareReader.told(held), "records");
        ShareReader other = new ShareReader(cluster, group, topic, EXPLICIT, "explicit");
        List<ConsumerRecord<String, String>> taken = other.next();
        Check.equal(List.of("value-0 2", "value-1 2"), ShareReader.told(taken), "records that were held for too long");
        for (ConsumerRecord<String, String> record : taken) other.acknowledge(record, "ACCEPT");
        Check.equal(List.of(), other.commit(), "errors of the one who has them");
        Check.equal(List.of(), other.poll(1500), "records that were acknowledged in time");
    }

    private static void shared(Cluster cluster) throws Exception {
        String topic = cluster.topic(1);
        String group = ShareReader.group(cluster);
        KafkaProducer<String, String> feed = cluster.producer("linger.ms", 0, "batch.size", 100);
        for (int i = 0; i < 300; i++) feed.send(new ProducerRecord<>(topic, "key", "value-" + i));
        feed.flush();
        List<ShareReader> readers = List.of(
            new ShareReader(cluster, group, topic, "max.poll.records", 10),
            new ShareReader(cluster, group, topic, "max.poll.records", 10));
        List<Integer> counts = new ArrayList<>(List.of(0, 0));
        List<String> values = new ArrayList<>();
        Check.until("all records come", () -> {
            for (int i = 0; i < 2; i++) {
                List<ConsumerRecord<String, String>> records = readers.get(i).poll(200);
                counts.set(i, counts.get(i) + records.size());
                for (ConsumerRecord<String, String> record : records) values.add(record.value());
            }
            return values.size() >= 300;
        });
        Check.equal(300, values.size(), "records");
        Check.equal(300, new HashSet<>(values).size(), "different records");
        Check.that(counts.get(0) > 0 && counts.get(1) > 0, "both get some: " + counts);
    }

    private static void closing(Cluster cluster) throws Exception {
        String topic = cluster.topic(1);
        String group = ShareReader.group(cluster);
        cluster.fill(topic, 2);
        ShareReader first = new ShareReader(cluster, group, topic, EXPLICIT, "explicit");
        first.next();
        first.close();
        ShareReader second = new ShareReader(cluster, group, topic);
        List<String> told = ShareReader.told(second.take(2));
        Check.equal(List.of("value-0", "value-1"), told.stream().map(line -> line.split(" ")[0]).toList(), "records");
    }

    private static void begins(Cluster cluster) throws Exception {
        String topic = cluster.topic(1);
        cluster.fill(topic, 5);
        String latest = ShareReader.group(cluster, "share.auto.offset.reset", "latest");
        ShareReader reader = new ShareReader(cluster, latest, topic);
        Check.equal(List.of(), reader.poll(3000), "records from before");
        cluster.fill(topic, 2);
        Check.equal(2, reader.take(2).size(), "records from after");
        String recent = ShareReader.group(cluster, "share.auto.offset.reset", "by_duration:PT1H");
        Check.equal(7, new ShareReader(cluster, recent, topic).take(7).size(), "records of the last hour");
    }

    private static void committed(Cluster cluster) throws Exception {
        String topic = cluster.topic(1);
        KafkaProducer<String, String> producer = cluster.transactional(Cluster.name("transaction"));
        for (int i = 0; i < 4; i++) {
            producer.beginTransaction();
            producer.send(new ProducerRecord<>(topic, "value-" + i));
            producer.flush();
            if (i % 2 == 0) producer.commitTransaction();
            else producer.abortTransaction();
        }
        cluster.fill(topic, 1);
        String strict = ShareReader.group(cluster, "share.isolation.level", "read_committed");
        List<String> seen = new ArrayList<>();
        for (ConsumerRecord<String, String> record : new ShareReader(cluster, strict, topic).take(3)) seen.add(record.value());
        Check.equal(List.of("value-0", "value-2", "value-0"), seen, "committed records");
        String loose = ShareReader.group(cluster);
        Check.equal(5, new ShareReader(cluster, loose, topic).take(5).size(), "all records");
    }

    private static void topicMadeAgain(Cluster cluster) throws Exception {
        String topic = cluster.topic(1);
        String group = ShareReader.group(cluster);
        cluster.fill(topic, 4);
        ShareReader reader = new ShareReader(cluster, group, topic, "metadata.max.age.ms", 1000);
        Check.equal(4, reader.take(4).size(), "records");
        cluster.admin().deleteTopics(List.of(topic)).all().get();
        Check.until("the topic is gone", () -> !cluster.admin().listTopics().names().get().contains(topic));
        cluster.topicNamed(topic, 1);
        cluster.fill(topic, 3);
        Check.equal(3, reader.take(3).size(), "records of the new topic");
    }

    private static void tool(Cluster cluster) throws Exception {
        String topic = cluster.topic(1);
        String group = ShareReader.group(cluster);
        cluster.fill(topic, 10);
        ShareReader reader = new ShareReader(cluster, group, topic, "client.id", "worker", "max.poll.records", 100);
        Check.equal(10, reader.take(10).size(), "records");
        reader.commit();
        // Kafka tells where a group was before its last acknowledgement.
        cluster.fill(topic, 1);
        Check.equal(1, reader.take(1).size(), "records");
        reader.commit();
        contains(Tool.run(cluster, GROUPS, "--list"), group);
        contains(Tool.run(cluster, GROUPS, "--list", "--state", "Stable"), group, "Stable");
        lacks(Tool.run(cluster, GROUPS, "--list", "--state", "Empty"), group);
        contains(Tool.run(cluster, GROUPS, "--describe", "--group", group, "--state"), group, "Stable");
        contains(Tool.run(cluster, GROUPS, "--describe", "--group", group, "--members", "--verbose"), group, "worker", topic);
        Check.until("the offset is told", () -> startOffset(cluster, group, topic) >= 10);
        contains(Tool.run(cluster, GROUPS, "--delete", "--group", group), group);
        reader.close();
        Check.until("it is empty", () -> Tool.run(cluster, GROUPS, "--describe", "--group", group, "--state").contains("Empty"));
        contains(Tool.run(cluster, TOOLS + "GroupsCommand", "--list", "--share"), group, "Share");
        contains(Tool.run(cluster, GROUPS, "--delete-offsets", "--group", group, "--topic", topic), "Successful");
        lacks(Tool.run(cluster, GROUPS, "--describe", "--group", group, "--offsets"), topic + " ");
        contains(Tool.run(cluster, GROUPS, "--delete", "--group", group), "successful");
        lacks(Tool.run(cluster, GROUPS, "--list"), group);
    }

    /** What the tool prints as the start offset of partition 0. */
    private static long startOffset(Cluster cluster, String group, String topic) throws Exception {
        String printed = Tool.run(cluster, GROUPS, "--describe", "--group", group, "--offsets");
        for (String line : printed.split("\n")) {
            String[] words = line.trim().split("\\s+");
            if (words.length >= 4 && words[1].equals(topic)) {
                return words[3].equals("-") ? -1 : Long.parseLong(words[3]);
            }
        }
        throw new AssertionError("no offset of " + topic + " is told in " + printed);
    }

    private static void console(Cluster cluster) throws Exception {
        String topic = cluster.topic(1);
        String group = ShareReader.group(cluster);
        cluster.fill(topic, 3);
        String command = TOOLS + "consumer.ConsoleShareConsumer";
        String[] read = {"--topic", topic, "--group", group, "--timeout-ms", "8000", "--max-messages", "3"};
        String[] release = {"--topic", topic, "--group", group, "--timeout-ms", "8000", "--max-messages", "3", "--release"};
        contains(Tool.inProcess(cluster, command, release), "value-0", "value-1", "value-2");
        contains(Tool.inProcess(cluster, command, read), "value-0", "value-1", "value-2");
        String[] after = {"--topic", topic, "--group", group, "--timeout-ms", "2000"};
        lacks(Tool.inProcess(cluster, command, after), "value-");
    }

    private static void switched(Cluster cluster) throws Exception {
        ShareReader.available(cluster);
        String command = TOOLS + "FeatureCommand";
        Tool.run(cluster, command, "downgrade", "--feature", "share.version=0");
        Check.until("share groups are off", () -> !cluster.admin().describeFeatures().featureMetadata().get()
            .finalizedFeatures().containsKey("share.version"));
        contains(Tool.run(cluster, command, "describe"), "share.version", "FinalizedVersionLevel: 0");
        Tool.run(cluster, command, "upgrade", "--feature", "share.version=1");
        ShareReader.available(cluster);
        String topic = cluster.topic(1);
        String group = ShareReader.group(cluster);
        cluster.fill(topic, 1);
        Check.equal(1, new ShareReader(cluster, group, topic).take(1).size(), "records");
    }

    private ShareCases() {}
}
