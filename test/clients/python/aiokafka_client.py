"""aiokafka: kafka-python's cousin on asyncio. Each call has a loop of its own."""

import asyncio
import ssl
import time

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor
from aiokafka.coordinator.assignors.sticky.sticky_assignor import StickyPartitionAssignor
from aiokafka.errors import KafkaError
from aiokafka.structs import OffsetAndMetadata
from cases import Member, Record, equal, name, until

ASSIGNORS = {"range": RangePartitionAssignor, "roundrobin": RoundRobinPartitionAssignor, "sticky": StickyPartitionAssignor}


def record_of(message):
    return Record(
        message.key, message.value, list(message.headers), message.timestamp, message.partition, message.offset
    )


class Loop:
    """An event loop for one client, driven from whichever thread calls."""

    def __init__(self):
        self.loop = asyncio.new_event_loop()

    def __call__(self, awaitable):
        return self.loop.run_until_complete(awaitable)


class Client:
    groups = list(ASSIGNORS)

    def __init__(self, bootstrap):
        self.bootstrap = bootstrap

    def with_admin(self, use, **more):
        async def run():
            admin = AIOKafkaAdminClient(**{"bootstrap_servers": self.bootstrap, **more})
            try:
                await admin.start()
                return await use(admin)
            finally:
                await admin.close()

        return asyncio.run(run())

    def partitions(self, topic):
        described = self.with_admin(lambda admin: admin.describe_topics([topic]))
        return len(described[0]["partitions"])

    def topic(self, partitions):
        topic = name("topic")
        self.with_admin(lambda admin: admin.create_topics([NewTopic(topic, partitions, 1)]))
        until(f"{topic} is known", lambda: self.partitions(topic) == partitions)
        return topic

    def producer(self, **more):
        return AIOKafkaProducer(bootstrap_servers=self.bootstrap, linger_ms=2, **more)

    async def send(self, producer, topic, records):
        futures = [
            await producer.send(topic, key=one.key, value=one.value, headers=one.headers, timestamp_ms=one.timestamp)
            for one in records
        ]
        for future in futures:
            await future

    def write(self, topic, records, codec="none"):
        async def run():
            async with self.producer(compression_type=None if codec == "none" else codec, enable_idempotence=True) as producer:
                await self.send(producer, topic, records)

        asyncio.run(run())

    def consumer(self, *topics, **more):
        settled = {"auto_offset_reset": "earliest", "enable_auto_commit": False, "fetch_max_wait_ms": 100}
        return AIOKafkaConsumer(*topics, bootstrap_servers=self.bootstrap, **{**settled, **more})

    def read(self, topic, count, committed=False):
        async def run():
            records = []
            level = "read_committed" if committed else "read_uncommitted"
            async with self.consumer(isolation_level=level) as consumer:
                consumer.assign([TopicPartition(topic, each) for each in range(partitions)])
                deadline = time.monotonic() + 30
                while len(records) < count and time.monotonic() < deadline:
                    for messages in (await consumer.getmany(timeout_ms=100)).values():
                        records += map(record_of, messages)
            return records

        partitions = self.partitions(topic)
        records = asyncio.run(run())
        equal(count, len(records), "records")
        return records

    def join(self, group_id, topic, kind):
        loop = Loop()

        async def start():
            consumer = self.consumer(
                topic,
                group_id=group_id,
                partition_assignment_strategy=[ASSIGNORS[kind]],
                heartbeat_interval_ms=200,
                session_timeout_ms=6000,
            )
            await consumer.start()
            return consumer

        consumer = loop(start())

        async def read():
            records = [record_of(one) for messages in (await consumer.getmany(timeout_ms=100)).values() for one in messages]
            if records:
                await consumer.commit()
            return records

        return Member(
            lambda: loop(read()), lambda: [one.partition for one in consumer.assignment()], lambda: loop(consumer.stop())
        )

    def in_group(self, group_id, use):
        async def run():
            async with self.consumer(group_id=group_id) as consumer:
                return await use(consumer)

        return asyncio.run(run())

    def commit(self, group_id, topic, partition, offset):
        place = TopicPartition(topic, partition)

        async def use(consumer):
            consumer.assign([place])
            await consumer.commit({place: OffsetAndMetadata(offset, "note")})

        self.in_group(group_id, use)

    def committed(self, group_id, topic, partition):
        return self.in_group(group_id, lambda consumer: consumer.committed(TopicPartition(topic, partition)))

    def transactional(self, transactional_id, codec):
        loop = Loop()

        async def start():
            producer = self.producer(
                transactional_id=transactional_id, compression_type=None if codec == "none" else codec
            )
            await producer.start()
            return producer

        producer = loop(start())

        async def run(topic, records, commit, offsets):
            await producer.begin_transaction()
            await self.send(producer, topic, records)
            if offsets is not None:
                group_id, source, offset = offsets
                await producer.send_offsets_to_transaction({TopicPartition(source, 0): offset}, group_id)
            await (producer.commit_transaction() if commit else producer.abort_transaction())

        return lambda topic, records, commit, offsets=None: loop(run(topic, records, commit, offsets))

    def administration(self):
        return {"topics are grown and deleted": self.topics, "groups are listed": self.listed_groups}

    def topics(self):
        topic = self.topic(1)
        self.with_admin(lambda admin: admin.create_partitions({topic: NewPartitions(3)}))
        until("3 partitions", lambda: self.partitions(topic) == 3)
        self.with_admin(lambda admin: admin.delete_topics([topic]))
        until("it is gone", lambda: topic not in self.with_admin(lambda admin: admin.list_topics()))

    def listed_groups(self):
        topic = self.topic(1)
        group_id = name("group")
        self.write(topic, [Record(None, b"x")] * 3)
        self.commit(group_id, topic, 0, 2)
        equal(True, group_id in str(self.with_admin(lambda admin: admin.list_consumer_groups())), "is it listed")
        offsets = self.with_admin(lambda admin: admin.list_consumer_group_offsets(group_id))
        equal(2, offsets[TopicPartition(topic, 0)].offset, "offset")

    def logs_in(self, address, mechanism, user, password):
        return self.answers(
            bootstrap_servers=address,
            security_protocol="SASL_PLAINTEXT",
            sasl_mechanism=mechanism,
            sasl_plain_username=user,
            sasl_plain_password=password,
        )

    def trusts(self, address, authority):
        context = ssl.create_default_context(cafile=authority)
        return self.answers(bootstrap_servers=address, security_protocol="SSL", ssl_context=context)

    def answers(self, **given):
        try:
            self.with_admin(lambda admin: admin.list_topics(), **given)
            return True
        except KafkaError:
            return False
