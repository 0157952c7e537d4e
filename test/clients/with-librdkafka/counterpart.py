"""
librdkafka's clients, told what to do: the same commands and answers as of `Counterpart.java`, where they
are described. An assignor is called as librdkafka calls it.

Usage: counterpart.py bootstrap-servers
"""

import base64
import concurrent.futures
import os
import sys
import threading
import time

from confluent_kafka import OFFSET_BEGINNING, Consumer, Producer, TopicPartition

output = threading.Lock()


def say(line):
    with output:
        print(line, flush=True)


def text(value):
    if value is None:
        return "-"
    return base64.b64encode(value).decode() if value else "="


def content(word):
    if word == "-":
        return None
    return b"" if word == "=" else base64.b64decode(word)


def told(record):
    """One record: partition, offset, key, value, and names and values of its headers."""
    words = ["RECORD", str(record.partition()), str(record.offset())]
    words += [text(record.key()), text(record.value())]
    for name, value in record.headers() or []:
        words += [text(name.encode()), text(value)]
    return " ".join(words)


def checked(record):
    if record.error() is not None:
        raise RuntimeError(record.error())
    return record


class Member:
    """
    A member of a group in a thread of its own, which commits what it has read before it reads on. Prints
    `number RECORD …` for each record, and `number HAS partition…` when its partitions have changed.
    """

    def __init__(self, consumer, number, topic):
        self.consumer = consumer
        self.number = number
        self.leaves = False
        self.held = None
        consumer.subscribe([topic])
        self.thread = threading.Thread(target=self.read)
        self.thread.start()

    def leave(self):
        self.leaves = True
        self.thread.join()

    def read(self):
        try:
            while not self.leaves:
                # Partitions are given and taken in here, after what was read has been committed.
                records = self.consumer.consume(100, timeout=0.1)
                self.tell()
                for record in records:
                    say(f"{self.number} {told(checked(record))}")
                if records:
                    self.consumer.commit(asynchronous=False)
            self.consumer.close()
        except Exception as error:
            say(f"{self.number} ERROR {error!r}")

    def tell(self):
        held = sorted(one.partition for one in self.consumer.assignment())
        if held != self.held:
            say(" ".join([self.number, "HAS", *map(str, held)]))
        self.held = held


class Counterpart:
    def __init__(self, bootstrap):
        self.bootstrap = bootstrap
        self.members = {}

    def configuration(self, more):
        # What librdkafka prints of errors is of no use here: what matters is what comes of a command.
        return {"bootstrap.servers": self.bootstrap, "log_level": 0, **more}

    def consumer(self, **more):
        given = {name.replace("_", "."): value for name, value in more.items()}
        settled = {"enable.auto.commit": False, "auto.offset.reset": "earliest"}
        return Consumer(self.configuration({**settled, **given}))

    def run(self, words):
        number, name, *rest = words
        try:
            commands = {
                "write": self.write,
                "read": lambda topic, count: self.read(number, topic, int(count)),
                "commit": self.commit,
                "committed": self.committed,
                "join": lambda *words: self.join(number, *words),
                "leave": lambda member: self.members.pop(member).leave() or "",
            }
            say(f"{number} OK {commands[name](*rest)}")
        except Exception as error:
            say(f"{number} ERROR {error!r}")

    def write(self, topic, codec, outcome, partition, key, value, *headers):
        # Its own default puts keys elsewhere than Java does.
        given = {"compression.type": codec, "partitioner": "murmur2_random", "linger.ms": 0}
        if outcome == "plain":
            given["enable.idempotence"] = True
        else:
            given["transactional.id"] = f"librdkafka-{time.monotonic_ns()}"
        producer = Producer(self.configuration(given))
        if outcome != "plain":
            producer.init_transactions()
            producer.begin_transaction()
        written = concurrent.futures.Future()
        place = {} if partition == "-" else {"partition": int(partition)}
        names = [content(name).decode() for name in headers[::2]]
        producer.produce(
            topic,
            key=content(key),
            value=content(value),
            headers=list(zip(names, map(content, headers[1::2]))),
            on_delivery=lambda error, record: written.set_result((error, record)),
            **place,
        )
        producer.flush()
        error, record = written.result()
        if error is not None:
            raise RuntimeError(error)
        if outcome == "commit":
            producer.commit_transaction()
        if outcome == "abort":
            producer.abort_transaction()
        return f"{record.partition()} {record.offset()}"

    def read(self, number, topic, count):
        consumer = self.consumer(group_id="none", isolation_level="read_committed")
        partitions = consumer.list_topics(topic).topics[topic].partitions
        consumer.assign([TopicPartition(topic, each, OFFSET_BEGINNING) for each in partitions])
        read = 0
        while read < count:
            for record in consumer.consume(count - read, timeout=0.1):
                say(f"{number} {told(checked(record))}")
                read += 1
        consumer.close()
        return str(read)

    def commit(self, group, topic, partition, offset, metadata):
        consumer = self.consumer(group_id=group)
        place = TopicPartition(topic, int(partition), int(offset), content(metadata).decode())
        consumer.commit(offsets=[place], asynchronous=False)
        consumer.close()
        return ""

    def committed(self, group, topic, partition):
        consumer = self.consumer(group_id=group)
        (found,) = consumer.committed([TopicPartition(topic, int(partition))])
        consumer.close()
        if found.offset < 0:
            return "none"
        return f"{found.offset} {text((found.metadata or '').encode())}"

    def join(self, number, member, group, topic, assignor, instance):
        given = {"group_id": group}
        if assignor == "-":
            given["group_protocol"] = "consumer"
        else:
            given["partition_assignment_strategy"] = assignor
            given["heartbeat_interval_ms"] = 500
        if instance != "-":
            given["group_instance_id"] = instance
        self.members[member] = Member(self.consumer(**given), number, topic)
        return ""


def main():
    counterpart = Counterpart(sys.argv[1])
    for line in sys.stdin:
        threading.Thread(target=counterpart.run, args=[line.split()]).start()
    os._exit(0)


main()
