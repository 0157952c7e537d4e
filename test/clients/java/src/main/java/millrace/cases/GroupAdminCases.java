package millrace.cases;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ConsumerGroupDescription;
import org.apache.kafka.clients.admin.ListConsumerGroupOffsetsSpec;
import org.apache.kafka.clients.admin.MemberDescription;
import org.apache.kafka.clients.admin.MemberToRemove;
import org.apache.kafka.clients.admin.RemoveMembersFromConsumerGroupOptions;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.GroupIdNotFoundException;
import org.apache.kafka.common.errors.GroupNotEmptyException;
import org.apache.kafka.common.errors.GroupSubscribedToTopicException;
import org.apache.kafka.common.errors.UnknownMemberIdException;

/** The administration client: consumer groups and their offsets. */
final class GroupAdminCases {
    static void addTo(Suite suite) {
        suite.add("admin: a classic group is listed and described", cluster -> describe(cluster));
        suite.add("admin: a group of the consumer protocol is listed and described",
            cluster -> describe(cluster, "group.protocol", "consumer"));
        suite.add("admin: offsets of an unknown group are empty, not an error", GroupAdminCases::unknownGroup);
        suite.add("admin: an unknown group is described as the clients' release expects", GroupAdminCases::describeUnknown);
        suite.add("admin: group offsets are altered, listed and deleted", GroupAdminCases::offsets);
        suite.add("admin: offsets of several groups are listed at once", GroupAdminCases::severalGroups);
        suite.add("admin: offsets of a group at work cannot be altered or deleted", GroupAdminCases::atWork);
        suite.add("admin: groups are deleted when they are empty", GroupAdminCases::delete);
        suite.add("admin: static members are removed by instance id", GroupAdminCases::removeMembers);
    }

    private static ConsumerGroupDescription description(Cluster cluster, String group) throws Exception {
        return cluster.admin().describeConsumerGroups(List.of(group)).all().get().get(group);
    }

    private static String stateOf(Cluster cluster, String group) throws Exception {
        return description(cluster, group).state().toString();
    }

    private static void describe(Cluster cluster, Object... configuration) throws Exception {
        String topic = cluster.topic(4);
        String group = Cluster.name("group");
        Member one = new Member(cluster, cluster.consumer(group, configuration), List.of(topic));
        Member two = new Member(cluster, cluster.consumer(group, configuration), List.of(topic));
        Member.untilShared(4, one, two);
        Check.until("it is stable", () -> stateOf(cluster, group).equals("Stable"));
        ConsumerGroupDescription described = description(cluster, group);
        Check.equal(2, described.members().size(), "members");
        Check.that(described.coordinator() != null, "it has a coordinator");
        for (MemberDescription member : described.members()) {
            Check.equal(2, member.assignment().topicPartitions().size(), "partitions of a member");
            Check.that(member.clientId().startsWith("consumer-"), "client id: " + member.clientId());
            Check.that(!member.host().isEmpty(), "host");
        }
        Check.that(cluster.admin().listConsumerGroups().valid().get().stream()
            .anyMatch(listing -> listing.groupId().equals(group)), "it is listed");
        one.close();
        two.close();
        Check.until("it is empty", () -> stateOf(cluster, group).equals("Empty"));
    }

    private static void unknownGroup(Cluster cluster) throws Exception {
        String group = Cluster.name("unknown");
        String topic = cluster.topic(1);
        Check.equal(Map.of(), cluster.admin().listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata().get(),
            "all offsets");
        TopicPartition partition = new TopicPartition(topic, 0);
        var some = cluster.admin().listConsumerGroupOffsets(Map.of(group,
            new ListConsumerGroupOffsetsSpec().topicPartitions(List.of(partition)))).partitionsToOffsetAndMetadata(group).get();
        Check.equal(null, some.get(partition), "offset of a partition");
        Check.that(cluster.consumer(group).committed(Set.of(partition)).get(partition) == null, "committed offset");
    }

    private static void describeUnknown(Cluster cluster) throws Exception {
        String group = Cluster.name("unknown");
        if (Cluster.clientsAreOfKafka4()) {
            Check.fails(GroupIdNotFoundException.class, () -> description(cluster, group));
        } else {
            Check.equal("Dead", stateOf(cluster, group), "state");
        }
    }

    private static void offsets(Cluster cluster) throws Exception {
        String topic = cluster.topic(2);
        String group = Cluster.name("group");
        TopicPartition first = new TopicPartition(topic, 0);
        TopicPartition second = new TopicPartition(topic, 1);
        Admin admin = cluster.admin();
        var wanted = Map.of(first, new OffsetAndMetadata(11, Optional.of(0), "one"), second, new OffsetAndMetadata(22));
        admin.alterConsumerGroupOffsets(group, wanted).all().get();
        Check.equal(wanted, admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata().get(), "offsets");
        Check.equal("Empty", stateOf(cluster, group), "state of a group that has only offsets");
        admin.deleteConsumerGroupOffsets(group, Set.of(first)).all().get();
        Check.equal(Set.of(second), admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata().get().keySet(),
            "partitions left");
    }

    private static void severalGroups(Cluster cluster) throws Exception {
        TopicPartition partition = new TopicPartition(cluster.topic(1), 0);
        String one = Cluster.name("group");
        String two = Cluster.name("group");
        Admin admin = cluster.admin();
        admin.alterConsumerGroupOffsets(one, Map.of(partition, new OffsetAndMetadata(1))).all().get();
        admin.alterConsumerGroupOffsets(two, Map.of(partition, new OffsetAndMetadata(2))).all().get();
        var offsets = admin.listConsumerGroupOffsets(Map.of(
            one, new ListConsumerGroupOffsetsSpec(), two, new ListConsumerGroupOffsetsSpec())).all().get();
        Check.equal(1L, offsets.get(one).get(partition).offset(), "offset of the first");
        Check.equal(2L, offsets.get(two).get(partition).offset(), "offset of the second");
    }

    private static void atWork(Cluster cluster) throws Exception {
        String topic = cluster.topic(1);
        String group = Cluster.name("group");
        TopicPartition partition = new TopicPartition(topic, 0);
        Member member = new Member(cluster, cluster.consumer(group), List.of(topic));
        Member.untilShared(1, member);
        Check.fails(UnknownMemberIdException.class, () -> cluster.admin()
            .alterConsumerGroupOffsets(group, Map.of(partition, new OffsetAndMetadata(1))).all().get());
        Check.fails(GroupSubscribedToTopicException.class, () -> cluster.admin()
            .deleteConsumerGroupOffsets(group, Set.of(partition)).partitionResult(partition).get());
        Check.fails(GroupNotEmptyException.class, () -> cluster.admin().deleteConsumerGroups(List.of(group)).all().get());
    }

    private static void delete(Cluster cluster) throws Exception {
        TopicPartition partition = new TopicPartition(cluster.topic(1), 0);
        String group = Cluster.name("group");
        Admin admin = cluster.admin();
        admin.alterConsumerGroupOffsets(group, Map.of(partition, new OffsetAndMetadata(1))).all().get();
        admin.deleteConsumerGroups(List.of(group)).all().get();
        Check.equal(Map.of(), admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata().get(), "offsets");
        Check.fails(GroupIdNotFoundException.class, () -> admin.deleteConsumerGroups(List.of(group)).all().get());
        Check.that(admin.listConsumerGroups().all().get().stream()
            .noneMatch(listing -> listing.groupId().equals(group)), "it is not listed");
    }

    private static void removeMembers(Cluster cluster) throws Exception {
        String topic = cluster.topic(2);
        String group = Cluster.name("group");
        Member member = new Member(cluster, cluster.consumer(group, "group.instance.id", "instance"), List.of(topic));
        Member.untilShared(2, member);
        member.close();
        Check.equal(1, description(cluster, group).members().size(), "a static member stays");
        cluster.admin().removeMembersFromConsumerGroup(group,
            new RemoveMembersFromConsumerGroupOptions(Set.of(new MemberToRemove("instance")))).all().get();
        Check.until("it is empty", () -> stateOf(cluster, group).equals("Empty"));
    }

    private GroupAdminCases() {}
}
