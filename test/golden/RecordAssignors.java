import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import java.util.TreeSet;
import org.apache.kafka.clients.consumer.ConsumerGroupMetadata;
import org.apache.kafka.clients.consumer.ConsumerPartitionAssignor.Assignment;
import org.apache.kafka.clients.consumer.ConsumerPartitionAssignor.Subscription;
import org.apache.kafka.clients.consumer.CooperativeStickyAssignor;
import org.apache.kafka.clients.consumer.RangeAssignor;
import org.apache.kafka.clients.consumer.RoundRobinAssignor;
import org.apache.kafka.clients.consumer.StickyAssignor;
import org.apache.kafka.clients.consumer.internals.AbstractPartitionAssignor;
import org.apache.kafka.clients.consumer.internals.ConsumerProtocol;
import org.apache.kafka.common.TopicPartition;

/**
 * Lets Java's assignors work on random groups through many generations, and prints what they were
 * given and what they made of it, one line of JSON for each generation.
 *
 * Java's assignors leave some choices to the order of a hash map. Members and topics are named by single
 * letters, whose hash order is the order of the alphabet: so the results can be told in advance.
 */
public class RecordAssignors {
    static final String[] MEMBERS = "a b c d e f g h i j k l".split(" ");
    static final String[] TOPICS = "u v w x y".split(" ");

    /** A member, with the assignors that it would have as a Java consumer. */
    static final class Member {
        final String id;
        final Optional<String> instanceId;
        final TreeSet<String> topics = new TreeSet<>();
        final AbstractPartitionAssignor assignor;
        List<TopicPartition> owned = new ArrayList<>();
        int generation = -1;

        Member(String id, Optional<String> instanceId, AbstractPartitionAssignor assignor) {
            this.id = id;
            this.instanceId = instanceId;
            this.assignor = assignor;
        }
    }

    final Random random;
    final String name;
    final boolean allWantTheSame;
    final boolean someAreLate;
    final TreeMap<String, Integer> counts = new TreeMap<>();
    final TreeMap<String, Member> members = new TreeMap<>();

    RecordAssignors(long seed, String name) {
        random = new Random(seed);
        this.name = name;
        allWantTheSame = random.nextBoolean();
        someAreLate = random.nextInt(3) == 0;
        for (String topic : TOPICS)
            if (random.nextInt(3) > 0) counts.put(topic, 1 + random.nextInt(7));
        int size = 1 + random.nextInt(MEMBERS.length);
        for (int index = 0; index < size; index++) join();
    }

    static AbstractPartitionAssignor assignor(String name) {
        switch (name) {
            case "range": return new RangeAssignor();
            case "roundrobin": return new RoundRobinAssignor();
            case "sticky": return new StickyAssignor();
            default: return new CooperativeStickyAssignor();
        }
    }

    void join() {
        String id = MEMBERS[random.nextInt(MEMBERS.length)];
        if (members.containsKey(id)) return;
        Optional<String> instance =
            random.nextInt(4) == 0 ? Optional.of("instance-" + (char) ('z' - (id.charAt(0) - 'a'))) : Optional.empty();
        Member member = new Member(id, instance, assignor(name));
        subscribe(member);
        members.put(id, member);
    }

    void subscribe(Member member) {
        member.topics.clear();
        if (allWantTheSame) {
            member.topics.addAll(Arrays.asList(TOPICS));
            return;
        }
        while (member.topics.isEmpty())
            for (String topic : TOPICS) if (random.nextBoolean()) member.topics.add(topic);
    }

    void change() {
        int what = random.nextInt(6);
        if (what <= 1) join();
        if (what == 2 && members.size() > 1) members.remove(anyOf(members.keySet()));
        if (what == 3 && !counts.isEmpty()) counts.merge(anyOf(counts.keySet()), random.nextInt(4), Integer::sum);
        if (what == 4) counts.putIfAbsent(TOPICS[random.nextInt(TOPICS.length)], 1 + random.nextInt(5));
        if (what == 5) subscribe(members.get(anyOf(members.keySet())));
    }

    String anyOf(Collection<String> names) {
        return new ArrayList<>(names).get(random.nextInt(names.size()));
    }

    String generation(int generation) {
        Map<String, Subscription> subscriptions = new LinkedHashMap<>();
        List<String> lines = new ArrayList<>();
        for (Member member : members.values()) {
            boolean gaveUp = !name.equals("cooperative-sticky");
            Subscription sent = new Subscription(
                new ArrayList<>(member.topics), member.assignor.subscriptionUserData(member.topics),
                gaveUp ? List.of() : member.owned, member.generation, Optional.empty());
            ByteBuffer bytes = ConsumerProtocol.serializeSubscription(sent);
            lines.add("{\"id\":\"" + member.id + "\",\"instance\":"
                + member.instanceId.map(id -> "\"" + id + "\"").orElse("null")
                + ",\"owned\":" + partitions(member.owned) + ",\"generation\":" + member.generation
                + ",\"metadata\":\"" + hex(bytes) + "\"}");
            Subscription received = ConsumerProtocol.deserializeSubscription(bytes.duplicate());
            received.setGroupInstanceId(member.instanceId);
            subscriptions.put(member.id, received);
        }
        Map<String, List<TopicPartition>> result;
        try {
            result = assignor(name).assign(wanted(), subscriptions);
        } catch (NullPointerException defect) {
            // Java's sticky assignors stumble over a previous owner that takes no part in the balancing.
            result = Map.of();
        }
        List<String> assigned = new ArrayList<>();
        for (Map.Entry<String, List<TopicPartition>> entry : new TreeMap<>(result).entrySet()) {
            List<TopicPartition> sorted = sorted(entry.getValue());
            assigned.add("\"" + entry.getKey() + "\":{\"partitions\":" + partitions(sorted)
                + ",\"bytes\":\"" + hex(ConsumerProtocol.serializeAssignment(new Assignment(sorted))) + "\"}");
            Member member = members.get(entry.getKey());
            // A member that is late knows only of what it had before.
            if (someAreLate && random.nextInt(3) == 0) continue;
            member.owned = sorted;
            member.generation = generation;
            member.assignor.onAssignment(new Assignment(sorted),
                new ConsumerGroupMetadata("group", generation, member.id, member.instanceId));
        }
        List<String> topics = new ArrayList<>();
        counts.forEach((topic, count) -> topics.add("\"" + topic + "\":" + count));
        return "{\"assignor\":\"" + name + "\",\"counts\":{" + String.join(",", topics)
            + "},\"members\":[" + String.join(",", lines) + "],\"assigned\":{" + String.join(",", assigned) + "}}";
    }

    /** Consumers tell their assignors of the topics alone that some member wants. */
    Map<String, Integer> wanted() {
        Map<String, Integer> wanted = new TreeMap<>(counts);
        wanted.keySet().removeIf(topic -> members.values().stream().noneMatch(m -> m.topics.contains(topic)));
        return wanted;
    }

    static List<TopicPartition> sorted(List<TopicPartition> partitions) {
        List<TopicPartition> sorted = new ArrayList<>(partitions);
        sorted.sort((one, other) -> one.topic().equals(other.topic())
            ? one.partition() - other.partition() : one.topic().compareTo(other.topic()));
        return sorted;
    }

    static String partitions(List<TopicPartition> partitions) {
        List<String> names = new ArrayList<>();
        for (TopicPartition partition : partitions) names.add("\"" + partition + "\"");
        return "[" + String.join(",", names) + "]";
    }

    static String hex(ByteBuffer buffer) {
        byte[] bytes = new byte[buffer.remaining()];
        buffer.duplicate().get(bytes);
        return HexFormat.of().formatHex(bytes);
    }

    public static void main(String[] arguments) {
        int groups = Integer.parseInt(arguments[0]);
        int generations = Integer.parseInt(arguments[1]);
        for (String name : new String[] {"range", "roundrobin", "sticky", "cooperative-sticky"}) {
            for (int group = 0; group < groups; group++) {
                RecordAssignors recorder = new RecordAssignors(31L * group + 7, name);
                for (int generation = 1; generation <= generations; generation++) {
                    System.out.println(recorder.generation(generation));
                    recorder.change();
                }
            }
        }
    }
}
