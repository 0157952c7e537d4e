"""confluent-kafka: librdkafka with a Python face."""

import time

from cases import Member, Record, equal, name, until
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, NewPartitions, NewTopic
from confluent_kafka.admin import OffsetSpec, ResourceType


def record_of(message):
    if message.error() is not None:
        raise KafkaException(message.error())
    return Record(
        message.key(), message.value(), message.headers(), message.timestamp()[1], message.partition(), message.offset()
    )


class Client:
    groups = ["range", "roundrobin", "cooperative-sticky", "consumer protocol, uniform", "consumer protocol, range"]

    def __init__(self, bootstrap):
        self.bootstrap = bootstrap
        # What it has been asked for ends with it, so it must not be collected.
        self.client = AdminClient({"bootstrap.servers": bootstrap, "log_level": 0})

    def configuration(self, **more):
        return {
            "bootstrap.servers": self.bootstrap,
            "log_level": 0,
            "fetch.wait.max.ms": 100,
            **{option.replace("_", "."): value for option, value in more.items()},
        }

    def admin(self):
        return self.client

    def topic(self, partitions):
        topic = name("topic")
        self.admin().create_topics([NewTopic(topic, partitions, 1)])[topic].result()
        until(f"{topic} is known", lambda: len(self.admin().list_topics(topic).topics[topic].partitions) == partitions)
        return topic

    def producer(self, **more):
        settled = {"bootstrap.servers": self.bootstrap, "log_level": 0, "linger.ms": 2}
        return Producer({**settled, **{option.replace("_", "."): value for option, value in more.items()}})

    def write(self, topic, records, codec="none", producer=None):
        writes = producer or self.producer(compression_type=codec, enable_idempotence=True)
        problems = []
        for record in records:
            writes.produce(
                topic,
                key=record.key,
                value=record.value,
                headers=record.headers,
                timestamp=record.timestamp or 0,
                on_delivery=lambda error, _: error is not None and problems.append(error),
            )
        writes.flush()
        equal([], problems, "errors of delivery")

    def consumer(self, **more):
        return Consumer(self.configuration(**{"auto_offset_reset": "earliest", "enable_auto_commit": False, **more}))

    def read(self, topic, count, committed=False):
        consumer = self.consumer(
            group_id=name("group"), isolation_level="read_committed" if committed else "read_uncommitted"
        )
        partitions = consumer.list_topics(topic).topics[topic].partitions
        consumer.assign([TopicPartition(topic, each, OFFSET_BEGINNING) for each in partitions])
        records = []
        deadline = time.monotonic() + 30
        while len(records) < count and time.monotonic() < deadline:
            records += [record_of(message) for message in consumer.consume(count - len(records), timeout=0.1)]
        consumer.close()
        equal(count, len(records), "records")
        return records

    def join(self, group_id, topic, kind):
        given = {"group_id": group_id}
        protocol, _, assignor = kind.partition(", ")
        if protocol == "consumer protocol":
            given |= {"group_protocol": "consumer", "group_remote_assignor": assignor}
        else:
            given |= {"partition_assignment_strategy": kind, "heartbeat_interval_ms": 200, "session_timeout_ms": 6000}
        consumer = self.consumer(**given)
        consumer.subscribe([topic])

        def poll():
            records = [record_of(message) for message in consumer.consume(100, timeout=0.1)]
            if records:
                consumer.commit(asynchronous=False)
            return records

        return Member(poll, lambda: [one.partition for one in consumer.assignment()], consumer.close)

    def commit(self, group_id, topic, partition, offset):
        consumer = self.consumer(group_id=group_id)
        consumer.commit(offsets=[TopicPartition(topic, partition, offset)], asynchronous=False)
        consumer.close()

    def committed(self, group_id, topic, partition):
        consumer = self.consumer(group_id=group_id)
        (found,) = consumer.committed([TopicPartition(topic, partition)])
        consumer.close()
        return None if found.offset < 0 else found.offset

    def transactional(self, transactional_id, codec):
        producer = self.producer(transactional_id=transactional_id, compression_type=codec)
        producer.init_transactions()

        def transaction(topic, records, commit, offsets=None):
            producer.begin_transaction()
            self.write(topic, records, producer=producer)
            if offsets is not None:
                group_id, source, offset = offsets
                consumer = self.consumer(group_id=group_id)
                place = [TopicPartition(source, 0, offset)]
                producer.send_offsets_to_transaction(place, consumer.consumer_group_metadata())
                consumer.close()
            if commit:
                producer.commit_transaction()
            else:
                producer.abort_transaction()

        return transaction

    def administration(self):
        return {
            "topics are grown and deleted": self.topics,
            "configurations are altered": self.configs,
            "offsets are listed by time": self.offsets,
            "groups are listed and described": self.described_groups,
        }

    def topics(self):
        topic = self.topic(1)
        self.admin().create_partitions([NewPartitions(topic, 3)])[topic].result()
        until("3 partitions", lambda: len(self.admin().list_topics(topic).topics[topic].partitions) == 3)
        self.admin().delete_topics([topic])[topic].result()
        until("it is gone", lambda: topic not in self.admin().list_topics().topics)

    def configs(self):
        resource = lambda *entries: ConfigResource(ResourceType.TOPIC, topic, incremental_configs=list(entries))
        topic = self.topic(1)
        change = ConfigEntry("retention.ms", "4321", incremental_operation=AlterConfigOpType.SET)
        for future in self.admin().incremental_alter_configs([resource(change)]).values():
            future.result()

        def value():
            (future,) = self.admin().describe_configs([ConfigResource(ResourceType.TOPIC, topic)]).values()
            return future.result()["retention.ms"].value

        until("it is altered", lambda: value() == "4321")

    def offsets(self):
        topic = self.topic(1)
        self.write(topic, [Record(None, b"x", timestamp=1_700_000_000_000 + index) for index in range(10)])
        place = TopicPartition(topic, 0)
        for spec, expected in [
            (OffsetSpec.earliest(), 0),
            (OffsetSpec.latest(), 10),
            (OffsetSpec.for_timestamp(1_700_000_000_004), 4),
            (OffsetSpec.max_timestamp(), 9),
        ]:
            (future,) = self.admin().list_offsets({place: spec}).values()
            equal(expected, future.result().offset, "offset")

    def described_groups(self):
        topic = self.topic(2)
        for kind in ["range", "consumer protocol, uniform"]:
            group_id = name("group")
            member = self.join(group_id, topic, kind)
            until("it has both", lambda: len(member.partitions) == 2)
            described = self.admin().describe_consumer_groups([group_id])[group_id].result()
            equal(("STABLE", 1), (described.state.name, len(described.members)), "group")
            listed = self.admin().list_consumer_groups().result().valid
            equal(True, group_id in [one.group_id for one in listed], "is it listed")
            member.leave()

    def logs_in(self, address, mechanism, user, password):
        return self.answers(
            address, {"security.protocol": "SASL_PLAINTEXT", "sasl.mechanism": mechanism, "sasl.username": user, "sasl.password": password}
        )

    def trusts(self, address, authority):
        return self.answers(address, {"security.protocol": "SSL", "ssl.ca.location": authority})

    def answers(self, address, more):
        try:
            AdminClient({"bootstrap.servers": address, "log_level": 0, **more}).list_topics(timeout=5)
            return True
        except KafkaException:
            return False
