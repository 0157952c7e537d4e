"""
What every Python client has to do on a broker. A client is a module with a class Client, whose methods are
described at `Client` here; what it cannot do it says with `Skipped`.

Usage: cases.py module bootstrap [--only text] [--sasl address] [--tls address] [--ca file] [--user name]
       [--password word]

It prints a line for each case: PASS name milliseconds, FAIL name milliseconds: reason, SKIP name: reason.
"""

import argparse
import concurrent.futures
import importlib
import os
import threading
import time
import traceback
import uuid

CASES_AT_ONCE = 4
PATIENCE_S = 20
CODECS = ["none", "gzip", "snappy", "lz4", "zstd"]


class Skipped(Exception):
    """Thrown by a case that does not apply."""


class Record:
    """What is written and read: bytes or None, headers as a list of names and values, milliseconds."""

    def __init__(self, key, value, headers=(), timestamp=None, partition=None, offset=None):
        self.key, self.value, self.headers = key, value, [(name, given) for name, given in headers or []]
        self.timestamp, self.partition, self.offset = timestamp, partition, offset

    def content(self):
        return (self.key, self.value, self.headers, self.timestamp)


def until(what, condition):
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"not reached: {what}")
        time.sleep(0.02)


def equal(expected, got, what):
    if expected != got:
        raise AssertionError(f"{what}: expected {str(expected)[:300]}, got {str(got)[:300]}")


def name(base):
    return f"{base}-{uuid.uuid4().hex[:8]}"


class Member:
    """A member of a group in a thread of its own. `poll` answers records; `held` the partitions."""

    def __init__(self, poll, held, close):
        self.seen = set()
        self.partitions = set()
        self.problem = None
        self.leaves = False
        self.poll, self.held, self.shut = poll, held, close
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        try:
            while not self.leaves:
                for record in self.poll():
                    self.seen.add((record.partition, record.offset))
                self.partitions = set(self.held())
        except Exception as problem:
            self.problem = problem
        finally:
            self.partitions = set()
            self.shut()

    def leave(self):
        self.leaves = True
        self.thread.join(20)


def share(client, members, partitions):
    def shared():
        for member in members:
            if member.problem is not None:
                raise member.problem
        held = [member.partitions for member in members]
        return all(held) and sum(map(len, held)) == partitions and len(set().union(*held)) == partitions

    until(f"{len(members)} members share", shared)


def round_trip(client, codec):
    topic = client.topic(3)
    sent = [
        Record(
            f"key-{index}".encode(),
            None if index % 20 == 0 else str(index).encode() * 20,
            [("one", str(index).encode()), ("two", b""), ("one", b"again")],
            1_700_000_000_000 + index,
        )
        for index in range(200)
    ]
    client.write(topic, sent, codec=codec)
    read = {record.key: record for record in client.read(topic, len(sent))}
    for record in sent:
        equal(record.content(), read[record.key].content(), "record")


def group(client, kind):
    topic = client.topic(6)
    group_id = name("group")
    fill = lambda: client.write(topic, [Record(str(index).encode(), b"value") for index in range(60)])
    distinct = lambda *members: len(set().union(*(member.seen for member in members)))
    one = client.join(group_id, topic, kind)
    share(client, [one], 6)
    two = client.join(group_id, topic, kind)
    share(client, [one, two], 6)
    fill()
    until("60 records", lambda: distinct(one, two) == 60)
    three = client.join(group_id, topic, kind)
    share(client, [one, two, three], 6)
    one.leave()
    share(client, [two, three], 6)
    fill()
    until("120 records", lambda: distinct(one, two, three) == 120)
    two.leave()
    three.leave()


def goes_on(client):
    topic = client.topic(1)
    group_id = name("group")
    client.write(topic, [Record(None, b"1"), Record(None, b"2"), Record(None, b"3")])
    client.commit(group_id, topic, 0, 2)
    equal(2, client.committed(group_id, topic, 0), "committed offset")
    member = client.join(group_id, topic, client.groups[0])
    until("the rest is read", lambda: member.seen == {(0, 2)})
    member.leave()


def transactions(client, codec):
    topic = client.topic(1)
    producer = client.transactional(name("tx"), codec)
    expected = []
    for index in range(6):
        value = f"value-{index}".encode()
        commit = index % 3 != 2
        producer(topic, [Record(None, value)], commit)
        if commit:
            expected.append(value)
    read = [record.value for record in client.read(topic, len(expected), committed=True)]
    equal(expected, read, "committed values")
    equal(6, len(client.read(topic, 6)), "all values")


def transactional_offsets(client):
    topic = client.topic(1)
    group_id = name("group")
    client.write(topic, [Record(None, b"x")] * 5)
    producer = client.transactional(name("tx"), "none")
    producer(topic, [Record(None, b"a")], False, (group_id, topic, 3))
    equal(None, client.committed(group_id, topic, 0), "offset after the abort")
    producer(topic, [Record(None, b"b")], True, (group_id, topic, 4))
    until("the offset is committed", lambda: client.committed(group_id, topic, 0) == 4)


def security(client, options, mechanism):
    if options.sasl is None:
        raise Skipped("this broker has no listener with SASL")
    if not client.logs_in(options.sasl, mechanism, options.user, options.password):
        raise AssertionError("the login was refused")
    if client.logs_in(options.sasl, mechanism, options.user, "wrong"):
        raise AssertionError("a wrong password was taken")


def tls(client, options):
    if options.tls is None:
        raise Skipped("this broker has no listener with TLS")
    if not client.trusts(options.tls, options.ca):
        raise AssertionError("the authority was not trusted")


def cases_of(client, options):
    for codec in CODECS:
        yield f"records, {codec}: come back as they were", lambda codec=codec: round_trip(client, codec)
    for codec in CODECS:
        yield f"transactions, {codec}: readers see what was committed", lambda codec=codec: transactions(client, codec)
    yield "transactions: offsets are committed with them, or not at all", lambda: transactional_offsets(client)
    for kind in client.groups:
        yield f"group, {kind}: members join and leave, nothing is missed", lambda kind=kind: group(client, kind)
    yield "group: a member goes on where the last commit was", lambda: goes_on(client)
    for what, body in client.administration().items():
        yield f"admin: {what}", body
    for mechanism in ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"]:
        yield (
            f"security: {mechanism} logs in, and refuses a wrong password",
            lambda mechanism=mechanism: security(client, options, mechanism),
        )
    yield "security: TLS", lambda: tls(client, options)


def run(case, body, attempts):
    """A client with defects of its own has more than one attempt."""
    started = time.monotonic()
    elapsed = lambda: int((time.monotonic() - started) * 1000)
    try:
        body()
        print(f"PASS {case} {elapsed()}", flush=True)
        return True
    except Skipped as reason:
        print(f"SKIP {case}: {reason}", flush=True)
        return True
    except Exception:
        if attempts > 1:
            return run(case, body, attempts - 1)
        reason = traceback.format_exc().strip().replace("\n", " | ")
        print(f"FAIL {case} {elapsed()}: {reason}", flush=True)
        return False


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("module")
    parser.add_argument("bootstrap")
    parser.add_argument("--only", default="")
    for option in ["--sasl", "--tls", "--ca", "--user", "--password"]:
        parser.add_argument(option)
    options = parser.parse_args()
    # The client's module asks for this one by its name.
    client = importlib.import_module(options.module).Client(options.bootstrap)
    chosen = [case for case in cases_of(client, options) if options.only in case[0]]
    with concurrent.futures.ThreadPoolExecutor(CASES_AT_ONCE) as pool:
        passed = list(pool.map(lambda case: run(*case, getattr(client, "attempts", 1)), chosen))
    # Clients of a case that was given up may still have threads.
    os._exit(0 if all(passed) else 1)


if __name__ == "__main__":
    main()
