"""kafka-python: Kafka's protocol in Python alone."""

import time

from cases import Member, Record, equal, name, until
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType, KafkaAdminClient, NewTopic
from kafka.coordinator.assignors.cooperative_sticky import CooperativeStickyAssignor
from kafka.coordinator.assignors.range import RangePartitionAssignor
from kafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor
from kafka.coordinator.assignors.sticky.sticky_assignor import StickyPartitionAssignor
from kafka.errors import KafkaError
from kafka.structs import ConsumerGroupMetadata, OffsetAndMetadata

ASSIGNORS = {
    "range": RangePartitionAssignor,
    "roundrobin": RoundRobinPartitionAssignor,
    "sticky": StickyPartitionAssignor,
    "cooperative-sticky": CooperativeStickyAssignor,
}


def record_of(message):
    return Record(message.key, message.value, message.headers, message.timestamp, message.partition, message.offset)


class Client:
    groups = list(ASSIGNORS)
    # Its consumer stops to fetch now and then when it has joined a group, on Apache Kafka as well.
    attempts = 4

    def __init__(self, bootstrap):
        self.bootstrap = bootstrap.split(",")

    def admin(self, **more):
        return KafkaAdminClient(**{"bootstrap_servers": self.bootstrap, **more})

    def topic(self, partitions):
        topic = name("topic")
        admin = self.admin()
        admin.create_topics([NewTopic(topic, partitions, 1)])
        until(f"{topic} is known", lambda: len(admin.describe_topics([topic])[0]["partitions"]) == partitions)
        admin.close()
        return topic

    def producer(self, **more):
        return KafkaProducer(bootstrap_servers=self.bootstrap, linger_ms=2, **more)

    def write(self, topic, records, codec="none", producer=None):
        writes = producer or self.producer(compression_type=None if codec == "none" else codec)
        futures = [
            writes.send(topic, key=one.key, value=one.value, headers=one.headers, timestamp_ms=one.timestamp)
            for one in records
        ]
        writes.flush()
        for future in futures:
            future.get(timeout=30)
        if producer is None:
            writes.close()

    def consumer(self, **more):
        settled = {"auto_offset_reset": "earliest", "enable_auto_commit": False, "fetch_max_wait_ms": 100}
        return KafkaConsumer(bootstrap_servers=self.bootstrap, **{**settled, **more})

    def read(self, topic, count, committed=False):
        consumer = self.consumer(isolation_level="read_committed" if committed else "read_uncommitted")
        consumer.assign([TopicPartition(topic, each) for each in consumer.partitions_for_topic(topic)])
        records = []
        deadline = time.monotonic() + 30
        while len(records) < count and time.monotonic() < deadline:
            for messages in consumer.poll(100).values():
                records += map(record_of, messages)
        consumer.close()
        equal(count, len(records), "records")
        return records

    def join(self, group_id, topic, kind):
        consumer = self.consumer(
            group_id=group_id,
            partition_assignment_strategy=[ASSIGNORS[kind]],
            heartbeat_interval_ms=200,
            session_timeout_ms=6000,
        )
        consumer.subscribe([topic])

        def poll():
            records = [record_of(one) for messages in consumer.poll(100).values() for one in messages]
            if records:
                consumer.commit()
            return records

        return Member(poll, lambda: [one.partition for one in consumer.assignment()], consumer.close)

    def commit(self, group_id, topic, partition, offset):
        consumer = self.consumer(group_id=group_id)
        consumer.assign([TopicPartition(topic, partition)])
        consumer.commit({TopicPartition(topic, partition): OffsetAndMetadata(offset, "note", -1)})
        consumer.close()

    def committed(self, group_id, topic, partition):
        consumer = self.consumer(group_id=group_id)
        consumer.assign([TopicPartition(topic, partition)])
        found = consumer.committed(TopicPartition(topic, partition))
        consumer.close()
        return found

    def transactional(self, transactional_id, codec):
        producer = self.producer(
            transactional_id=transactional_id, compression_type=None if codec == "none" else codec
        )
        producer.init_transactions()

        def transaction(topic, records, commit, offsets=None):
            producer.begin_transaction()
            self.write(topic, records, producer=producer)
            if offsets is not None:
                group_id, source, offset = offsets
                place = {TopicPartition(source, 0): OffsetAndMetadata(offset, "", -1)}
                producer.send_offsets_to_transaction(place, ConsumerGroupMetadata(group_id, -1, "", None))
            if commit:
                producer.commit_transaction()
            else:
                producer.abort_transaction()

        return transaction

    def administration(self):
        return {"topics are grown and deleted": self.topics, "configurations are altered": self.configs,
                "groups are listed and described": self.described_groups, "versions of Kafka are recognized": self.versions}

    def topics(self):
        topic = self.topic(1)
        admin = self.admin()
        admin.create_partitions({topic: 3})
        until("3 partitions", lambda: len(admin.describe_topics([topic])[0]["partitions"]) == 3)
        admin.delete_topics([topic])
        until("it is gone", lambda: topic not in admin.list_topics())
        admin.close()

    def configs(self):
        topic = self.topic(1)
        admin = self.admin()
        admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, configs={"retention.ms": "4321"})])
        until("it is altered", lambda: "4321" in str(admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic)])))
        admin.close()

    def described_groups(self):
        topic = self.topic(2)
        group_id = name("group")
        member = self.join(group_id, topic, "range")
        until("it has both", lambda: len(member.partitions) == 2)
        admin = self.admin()
        equal(True, group_id in str(admin.list_groups()), "is it listed")
        until("it is stable", lambda: "Stable" in str(admin.describe_groups([group_id])))
        member.leave()
        admin.close()

    def versions(self):
        admin = self.admin()
        (broker, *_) = admin.describe_cluster()["brokers"]
        recognized = admin.get_broker_version_data(broker["broker_id"]).broker_version
        equal(True, recognized >= (4, 0), f"{recognized} is a release of Kafka 4")
        admin.close()

    def logs_in(self, address, mechanism, user, password):
        return self.answers(
            bootstrap_servers=[address],
            security_protocol="SASL_PLAINTEXT",
            sasl_mechanism=mechanism,
            sasl_plain_username=user,
            sasl_plain_password=password,
        )

    def trusts(self, address, authority):
        return self.answers(bootstrap_servers=[address], security_protocol="SSL", ssl_cafile=authority)

    def answers(self, **given):
        try:
            admin = self.admin(**given)
            admin.list_topics()
            admin.close()
            return True
        except KafkaError:
            return False
