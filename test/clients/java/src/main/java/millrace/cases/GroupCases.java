package millrace.cases;

import java.lang.reflect.Constructor;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.CooperativeStickyAssignor;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.RangeAssignor;
import org.apache.kafka.clients.consumer.RoundRobinAssignor;
import org.apache.kafka.clients.consumer.StickyAssignor;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.FencedInstanceIdException;
import org.apache.kafka.common.errors.InconsistentGroupProtocolException;
import org.apache.kafka.common.errors.UnreleasedInstanceIdException;
import org.apache.kafka.common.errors.UnsupportedAssignorException;

/** Consumer groups of both protocols: sharing, joining, leaving, static members, patterns. */
final class GroupCases {
    private static final String ASSIGNOR = "partition.assignment.strategy";

    /** The ways a group can share its partitions. */
    static final Map<String, Object[]> KINDS = Map.of(
        "range", new Object[] {ASSIGNOR, RangeAssignor.class.getName()},
        "round robin", new Object[] {ASSIGNOR, RoundRobinAssignor.class.getName()},
        "sticky", new Object[] {ASSIGNOR, StickyAssignor.class.getName()},
        "cooperative-sticky", new Object[] {ASSIGNOR, CooperativeStickyAssignor.class.getName()},
        "consumer protocol, uniform", new Object[] {"group.protocol", "consumer"},
        "consumer protocol, range", new Object[] {"group.protocol", "consumer", "group.remote.assignor", "range"});

    static void addTo(Suite suite) {
        KINDS.forEach((kind, configuration) ->
            suite.add("group, " + kind + ": members join and leave, nothing is missed",
                cluster -> joinAndLeave(cluster, configuration)));
        suite.add("group, cooperative-sticky: a newcomer takes only what moves", cluster ->
            incremental(cluster, KINDS.get("cooperative-sticky")));
        suite.add("group, consumer protocol, uniform: a newcomer takes only what moves", cluster ->
            incremental(cluster, KINDS.get("consumer protocol, uniform")));
        suite.add("group: a member goes on where the last one committed", GroupCases::goesOn);
        suite.add("group: a static member that returns has its partitions back without a rebalance",
            cluster -> staticReturns(cluster));
        suite.add("group, consumer protocol: a static member that returns has its partitions back",
            cluster -> staticReturns(cluster, "group.protocol", "consumer"));
        suite.add("group: a second member of the same instance id fences the first", GroupCases::staticFenced);
        suite.add("group, consumer protocol: an instance id in use is not given away", GroupCases::staticInUse);
        suite.add("group: a pattern follows new topics", GroupCases::pattern);
        suite.add("group, consumer protocol: a pattern is evaluated by the broker", GroupCases::brokerPattern);
        suite.add("group, consumer protocol: an unknown assignor is refused", GroupCases::unknownAssignor);
        suite.add("group: members without a common assignor are refused", GroupCases::noCommonAssignor);
        suite.add("group: a member that dies is missed after its session timeout",
            cluster -> dies(cluster, "session.timeout.ms", 6000));
        suite.add("group: partitions added to a topic are shared too", cluster -> grows(cluster));
        suite.add("group, consumer protocol: partitions added to a topic are shared too",
            cluster -> grows(cluster, "group.protocol", "consumer"));
        suite.add("group, consumer protocol: from one topic to another without a break", GroupCases::resubscribe);
    }

    private static Object[] with(Object[] base, Object... more) {
        Object[] all = Arrays.copyOf(base, base.length + more.length);
        System.arraycopy(more, 0, all, base.length, more.length);
        return all;
    }

    private static void joinAndLeave(Cluster cluster, Object[] configuration) throws Exception {
        String topic = cluster.topic(6);
        String group = Cluster.name("group");
        Member one = new Member(cluster, cluster.consumer(group, configuration), List.of(topic));
        Member.untilShared(6, one);
        Member two = new Member(cluster, cluster.consumer(group, configuration), List.of(topic));
        Member.untilShared(6, one, two);
        cluster.fill(topic, 100);
        Check.until("the first 100 records", () -> one.records.size() + two.records.size() >= 100);
        Member three = new Member(cluster, cluster.consumer(group, configuration), List.of(topic));
        Member.untilShared(6, one, two, three);
        one.close();
        Member.untilShared(6, two, three);
        cluster.fill(topic, 50);
        Check.until("the other 50 records", () -> distinct(one, two, three) == 150);
    }

    private static int distinct(Member... members) {
        Set<String> seen = new HashSet<>();
        for (Member member : members) {
            synchronized (member.records) {
                for (ConsumerRecord<String, String> record : member.records) {
                    seen.add(record.partition() + "-" + record.offset());
                }
            }
        }
        return seen.size();
    }

    private static void incremental(Cluster cluster, Object[] configuration) throws Exception {
        String topic = cluster.topic(6);
        String group = Cluster.name("group");
        Member one = new Member(cluster, cluster.consumer(group, configuration), List.of(topic));
        Member.untilShared(6, one);
        Member two = new Member(cluster, cluster.consumer(group, configuration), List.of(topic));
        Member.untilShared(6, one, two);
        Set<TopicPartition> revoked = one.revocations.stream().flatMap(Set::stream).collect(Collectors.toSet());
        Check.equal(two.assignment(), revoked, "what the first member gave up is what the second has");
        Check.equal(3, two.assignment().size(), "share of the second");
    }

    private static void goesOn(Cluster cluster) throws Exception {
        String topic = cluster.topic(1);
        String group = Cluster.name("group");
        cluster.fill(topic, 10);
        Member one = new Member(cluster, cluster.consumer(group), List.of(topic));
        Check.until("10 records", () -> one.records.size() == 10);
        one.close();
        cluster.producer().send(new ProducerRecord<>(topic, "next")).get();
        Member two = new Member(cluster, cluster.consumer(group), List.of(topic));
        Check.until("the next record", () -> !two.records.isEmpty());
        // Commits of the first member were asynchronous, its last is made when it closes.
        Check.that(two.records.get(two.records.size() - 1).value().equals("next"), "the next record came");
    }

    private static void staticReturns(Cluster cluster, Object... configuration) throws Exception {
        String topic = cluster.topic(4);
        String group = Cluster.name("group");
        Member other = new Member(cluster,
            cluster.consumer(group, with(configuration, "group.instance.id", "other")), List.of(topic));
        Member first = new Member(cluster,
            cluster.consumer(group, with(configuration, "group.instance.id", "returning")), List.of(topic));
        Member.untilShared(4, other, first);
        Set<TopicPartition> before = first.assignment();
        int revocations = other.revocations.size();
        first.close();
        Member second = new Member(cluster,
            cluster.consumer(group, with(configuration, "group.instance.id", "returning")), List.of(topic));
        Member.untilShared(4, other, second);
        Check.equal(before, second.assignment(), "partitions of the returned member");
        Check.equal(revocations, other.revocations.size(), "revocations at the other member");
    }

    private static void staticFenced(Cluster cluster) throws Exception {
        String topic = cluster.topic(2);
        String group = Cluster.name("group");
        Member first = new Member(cluster, cluster.consumer(group, "group.instance.id", "same"), List.of(topic));
        Member.untilShared(2, first);
        Member second = new Member(cluster, cluster.consumer(group, "group.instance.id", "same"), List.of(topic));
        Check.until("the first is fenced", () -> first.problem() instanceof FencedInstanceIdException);
        Member.untilShared(2, second);
    }

    private static void staticInUse(Cluster cluster) throws Exception {
        String topic = cluster.topic(2);
        String group = Cluster.name("group");
        Object[] configuration = {"group.protocol", "consumer", "group.instance.id", "same"};
        Member first = new Member(cluster, cluster.consumer(group, configuration), List.of(topic));
        Member.untilShared(2, first);
        Member second = new Member(cluster, cluster.consumer(group, configuration), List.of(topic));
        Check.until("the second is refused", () -> second.problem() instanceof UnreleasedInstanceIdException);
        Member.untilShared(2, first);
    }

    private static void pattern(Cluster cluster) throws Exception {
        String prefix = Cluster.name("pattern");
        cluster.topicNamed(prefix + ".one", 2);
        KafkaConsumer<String, String> consumer = cluster.consumer(Cluster.name("group"), "metadata.max.age.ms", 300);
        Pattern pattern = Pattern.compile(Pattern.quote(prefix) + "\\..*");
        Member member = new Member(cluster, consumer, (own, listener) -> own.subscribe(pattern, listener));
        Member.untilShared(2, member);
        cluster.topicNamed(prefix + ".two", 3);
        Member.untilShared(5, member);
    }

    private static void brokerPattern(Cluster cluster) throws Exception {
        if (!Cluster.clientsAreOfKafka4()) throw new Skipped("clients of Kafka 3.9 cannot do it");
        String prefix = Cluster.name("pattern");
        cluster.topicNamed(prefix + ".one", 2);
        KafkaConsumer<String, String> consumer =
            cluster.consumer(Cluster.name("group"), "group.protocol", "consumer", "metadata.max.age.ms", 300);
        Class<?> type = Class.forName("org.apache.kafka.clients.consumer.SubscriptionPattern");
        Constructor<?> constructor = type.getConstructor(String.class);
        Member member = new Member(cluster, consumer, (own, listener) -> KafkaConsumer.class
            .getMethod("subscribe", type, ConsumerRebalanceListener.class)
            .invoke(own, constructor.newInstance(prefix + "\\.(one|three)"), listener));
        Member.untilShared(2, member);
        cluster.topicNamed(prefix + ".two", 1);
        cluster.topicNamed(prefix + ".three", 3);
        Member.untilShared(5, member);
    }

    private static void unknownAssignor(Cluster cluster) throws Exception {
        String topic = cluster.topic(1);
        Member member = new Member(cluster, cluster.consumer(Cluster.name("group"),
            "group.protocol", "consumer", "group.remote.assignor", "no-such-assignor"), List.of(topic));
        Check.until("the member is refused", () -> member.problem() instanceof UnsupportedAssignorException);
    }

    private static void noCommonAssignor(Cluster cluster) throws Exception {
        String topic = cluster.topic(2);
        String group = Cluster.name("group");
        Member first = new Member(cluster, cluster.consumer(group, KINDS.get("range")), List.of(topic));
        Member.untilShared(2, first);
        Member second = new Member(cluster, cluster.consumer(group, KINDS.get("round robin")), List.of(topic));
        Check.until("the second is refused", () -> second.problem() instanceof InconsistentGroupProtocolException);
        Member.untilShared(2, first);
    }

    private static void dies(Cluster cluster, Object... configuration) throws Exception {
        String topic = cluster.topic(2);
        String group = Cluster.name("group");
        KafkaConsumer<String, String> mute = cluster.consumer(group,
            with(configuration, "heartbeat.interval.ms", 5900, "max.poll.interval.ms", 6000));
        mute.subscribe(List.of(topic));
        Check.until("the first member has joined", () -> {
            mute.poll(java.time.Duration.ofMillis(100));
            return mute.assignment().size() == 2;
        });
        // It does not poll again: after max.poll.interval.ms it is no member any more.
        Member second = new Member(cluster, cluster.consumer(group), List.of(topic));
        Member.untilShared(2, second);
    }

    private static void grows(Cluster cluster, Object... configuration) throws Exception {
        String topic = cluster.topic(2);
        String group = Cluster.name("group");
        Object[] all = with(configuration, "metadata.max.age.ms", 300);
        Member one = new Member(cluster, cluster.consumer(group, all), List.of(topic));
        Member two = new Member(cluster, cluster.consumer(group, all), List.of(topic));
        Member.untilShared(2, one, two);
        cluster.admin().createPartitions(
            Map.of(topic, org.apache.kafka.clients.admin.NewPartitions.increaseTo(6))).all().get();
        Member.untilShared(6, one, two);
    }

    private static void resubscribe(Cluster cluster) throws Exception {
        String first = cluster.topic(2);
        String second = cluster.topic(3);
        KafkaProducer<String, String> producer = cluster.producer();
        KafkaConsumer<String, String> consumer = cluster.consumer(Cluster.name("group"), "group.protocol", "consumer");
        Map<String, Integer> seen = new HashMap<>();
        for (String topic : List.of(first, second)) {
            producer.send(new ProducerRecord<>(topic, "value")).get();
            consumer.subscribe(List.of(topic));
            Check.until("a record of " + topic, () -> {
                consumer.poll(java.time.Duration.ofMillis(50))
                    .forEach(record -> seen.merge(record.topic(), 1, Integer::sum));
                return seen.containsKey(topic);
            });
        }
        Check.equal(Map.of(first, 1, second, 1), seen, "records of each topic");
        Check.equal(3, consumer.assignment().size(), "partitions");
    }

    private GroupCases() {}
}
