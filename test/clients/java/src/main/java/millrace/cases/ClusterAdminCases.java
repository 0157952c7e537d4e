package millrace.cases;

import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.DescribeClusterOptions;
import org.apache.kafka.clients.admin.FeatureMetadata;
import org.apache.kafka.clients.admin.QuorumInfo;
import org.apache.kafka.clients.admin.ScramCredentialInfo;
import org.apache.kafka.clients.admin.ScramMechanism;
import org.apache.kafka.clients.admin.UserScramCredentialDeletion;
import org.apache.kafka.clients.admin.UserScramCredentialUpsertion;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.acl.AccessControlEntry;
import org.apache.kafka.common.acl.AclBinding;
import org.apache.kafka.common.acl.AclBindingFilter;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.acl.AclPermissionType;
import org.apache.kafka.common.errors.ResourceNotFoundException;
import org.apache.kafka.common.errors.SecurityDisabledException;
import org.apache.kafka.common.errors.UnsupportedVersionException;
import org.apache.kafka.common.quota.ClientQuotaAlteration;
import org.apache.kafka.common.quota.ClientQuotaEntity;
import org.apache.kafka.common.quota.ClientQuotaFilter;
import org.apache.kafka.common.quota.ClientQuotaFilterComponent;
import org.apache.kafka.common.resource.PatternType;
import org.apache.kafka.common.resource.ResourcePattern;
import org.apache.kafka.common.resource.ResourceType;

/** The administration client: the cluster, its features, quotas, users. */
final class ClusterAdminCases {
    static void addTo(Suite suite) {
        suite.add("admin: the cluster is described", ClusterAdminCases::describe);
        suite.add("admin: features are described", ClusterAdminCases::features);
        suite.add("admin: the metadata quorum is described", ClusterAdminCases::quorum);
        suite.add("admin: log folders are described", ClusterAdminCases::logFolders);
        suite.add("admin: access rules without an authorizer are refused", ClusterAdminCases::accessRules);
        suite.add("admin: client quotas are kept", ClusterAdminCases::quotas);
        suite.add("admin: SCRAM users are kept", ClusterAdminCases::users);
    }

    private static void describe(Cluster cluster) throws Exception {
        var result = cluster.admin().describeCluster(new DescribeClusterOptions().includeAuthorizedOperations(true));
        Check.that(!result.clusterId().get().isEmpty(), "it has an id");
        Check.that(!result.nodes().get().isEmpty(), "it has nodes");
        Node controller = result.controller().get();
        Check.that(result.nodes().get().stream().anyMatch(node -> node.id() == controller.id()), "the controller is a node");
        Check.that(result.authorizedOperations().get().contains(AclOperation.ALTER), "operations: " + result.authorizedOperations().get());
    }

    private static void features(Cluster cluster) throws Exception {
        FeatureMetadata features = cluster.admin().describeFeatures().featureMetadata().get();
        for (String name : features.finalizedFeatures().keySet()) {
            Check.that(features.supportedFeatures().containsKey(name), name + " is supported");
        }
    }

    private static void quorum(Cluster cluster) throws Exception {
        try {
            QuorumInfo quorum = cluster.admin().describeMetadataQuorum().quorumInfo().get();
            Check.that(!quorum.voters().isEmpty(), "it has voters");
            Check.that(quorum.voters().stream().anyMatch(voter -> voter.replicaId() == quorum.leaderId()), "the leader votes");
        } catch (java.util.concurrent.ExecutionException failed) {
            if (Check.cause(failed) instanceof UnsupportedVersionException) throw new Skipped("the broker has no quorum");
            throw failed;
        }
    }

    private static void logFolders(Cluster cluster) throws Exception {
        String topic = cluster.topic(2);
        cluster.fill(topic, 10);
        int broker = cluster.admin().describeTopics(List.of(topic)).allTopicNames().get().get(topic)
            .partitions().get(0).leader().id();
        var folders = cluster.admin().describeLogDirs(List.of(broker)).allDescriptions().get().get(broker);
        Check.that(folders.values().stream().anyMatch(folder -> folder.replicaInfos().keySet().stream()
            .anyMatch(partition -> partition.topic().equals(topic))), "the topic is in one: " + folders.keySet());
        long bytes = folders.values().stream().flatMap(folder -> folder.replicaInfos().entrySet().stream())
            .filter(entry -> entry.getKey().topic().equals(topic)).mapToLong(entry -> entry.getValue().size()).sum();
        Check.that(bytes > 100, "its size is known: " + bytes);
    }

    private static void accessRules(Cluster cluster) throws Exception {
        Admin admin = cluster.admin();
        var rule = new AclBinding(new ResourcePattern(ResourceType.TOPIC, "topic", PatternType.LITERAL),
            new AccessControlEntry("User:alice", "*", AclOperation.READ, AclPermissionType.ALLOW));
        Check.fails(SecurityDisabledException.class, () -> admin.describeAcls(AclBindingFilter.ANY).values().get());
        Check.fails(SecurityDisabledException.class, () -> admin.createAcls(List.of(rule)).all().get());
        Check.fails(SecurityDisabledException.class, () -> admin.deleteAcls(List.of(AclBindingFilter.ANY)).all().get());
    }

    private static void quotas(Cluster cluster) throws Exception {
        Admin admin = cluster.admin();
        ClientQuotaEntity entity = new ClientQuotaEntity(Map.of(ClientQuotaEntity.CLIENT_ID, Cluster.name("client")));
        ClientQuotaFilter filter = ClientQuotaFilter.containsOnly(List.of(ClientQuotaFilterComponent.ofEntity(
            ClientQuotaEntity.CLIENT_ID, entity.entries().get(ClientQuotaEntity.CLIENT_ID))));
        change(admin, entity, 1e9);
        Check.until("it is kept", () ->
            Map.of(entity, Map.of("producer_byte_rate", 1e9)).equals(admin.describeClientQuotas(filter).entities().get()));
        change(admin, entity, null);
        Check.until("it is gone", () -> admin.describeClientQuotas(filter).entities().get().isEmpty());
    }

    private static void change(Admin admin, ClientQuotaEntity entity, Double rate) throws Exception {
        admin.alterClientQuotas(List.of(new ClientQuotaAlteration(entity,
            List.of(new ClientQuotaAlteration.Op("producer_byte_rate", rate))))).all().get();
    }

    private static void users(Cluster cluster) throws Exception {
        Admin admin = cluster.admin();
        String user = Cluster.name("user");
        admin.alterUserScramCredentials(List.of(new UserScramCredentialUpsertion(
            user, new ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 4096), "secret"))).all().get();
        Check.until("the user is there", () -> {
            var all = admin.describeUserScramCredentials().all().get();
            return all.containsKey(user) && all.get(user).credentialInfos()
                .equals(List.of(new ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 4096)));
        });
        admin.alterUserScramCredentials(List.of(
            new UserScramCredentialDeletion(user, ScramMechanism.SCRAM_SHA_512))).all().get();
        Check.until("the user is gone", () -> !admin.describeUserScramCredentials().all().get().containsKey(user));
        Check.fails(ResourceNotFoundException.class, () -> admin.alterUserScramCredentials(List.of(
            new UserScramCredentialDeletion(user, ScramMechanism.SCRAM_SHA_512))).all().get());
    }

    private ClusterAdminCases() {}
}
