import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.record.CompressionType;
import org.apache.kafka.common.record.ControlRecordType;
import org.apache.kafka.common.record.DefaultRecordBatch;
import org.apache.kafka.common.record.EndTransactionMarker;
import org.apache.kafka.common.record.MemoryRecords;
import org.apache.kafka.common.record.MemoryRecordsBuilder;
import org.apache.kafka.common.record.RecordBatch;
import org.apache.kafka.common.record.TimestampType;

/** Prints record batches that Kafka's own classes make, as the entries of golden-batches.ts. */
public class WriteBatches {
    static final long TIME = 1_700_000_000_000L;

    public static void main(String[] args) {
        for (CompressionType type : CompressionType.values()) {
            Compression compression = Compression.of(type).build();
            print("plain " + type.name, plain(compression));
            if (type != CompressionType.NONE) print("large " + type.name, large(compression));
        }
        print("log append time", logAppendTime());
        print("transactional", transactional());
        print("commit", marker(ControlRecordType.COMMIT));
        print("abort", marker(ControlRecordType.ABORT));
        print("delete horizon", deleteHorizon());
        print("empty", empty());
        print("extreme timestamps", extremeTimestamps());
    }

    static void print(String name, ByteBuffer bytes) {
        byte[] array = new byte[bytes.remaining()];
        bytes.duplicate().get(array);
        System.out.println("  '" + name + "': '" + Base64.getEncoder().encodeToString(array) + "',");
    }

    static MemoryRecordsBuilder builder(ByteBuffer buffer, Compression compression, TimestampType type,
            long producerId, short epoch, int sequence, boolean transactional, boolean control) {
        return new MemoryRecordsBuilder(buffer, RecordBatch.MAGIC_VALUE_V2, compression, type, 100L,
            TIME + 5, producerId, epoch, sequence, transactional, control, 7, buffer.capacity());
    }

    static MemoryRecordsBuilder builder(Compression compression, TimestampType type) {
        return builder(ByteBuffer.allocate(1 << 20), compression, type, RecordBatch.NO_PRODUCER_ID,
            RecordBatch.NO_PRODUCER_EPOCH, RecordBatch.NO_SEQUENCE, false, false);
    }

    static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    /** Every form a record can have. */
    static void appendRecords(MemoryRecordsBuilder builder) {
        builder.append(TIME, utf8("key"), utf8("value"));
        builder.append(TIME - 1500, null, utf8("no key, earlier"));
        builder.append(TIME + 70, utf8("tombstone"), null);
        builder.append(TIME + 100_000_000_000L, new byte[0], new byte[0]);
        builder.append(TIME + 1, utf8("with headers"), utf8("v"), new Header[] {
            new RecordHeader("event-type", utf8("ORDER_CREATED")),
            new RecordHeader("größe", utf8("ü")),
            new RecordHeader("empty", new byte[0]),
            new RecordHeader("null", (byte[]) null),
            new RecordHeader("event-type", utf8("the second")),
            new RecordHeader("", utf8("no name")),
        });
        builder.append(TIME + 2, (byte[]) null, (byte[]) null);
    }

    static ByteBuffer plain(Compression compression) {
        MemoryRecordsBuilder builder = builder(compression, TimestampType.CREATE_TIME);
        appendRecords(builder);
        return builder.build().buffer();
    }

    /** More than two blocks of every codec. */
    static ByteBuffer large(Compression compression) {
        MemoryRecordsBuilder builder = builder(compression, TimestampType.CREATE_TIME);
        StringBuilder value = new StringBuilder();
        for (int index = 0; index < 3000; index++) value.append("item ").append(index % 50).append(',');
        for (int record = 0; record < 4; record++) {
            builder.append(TIME + record, utf8("key-" + record), utf8(value.toString()));
        }
        return builder.build().buffer();
    }

    static ByteBuffer logAppendTime() {
        MemoryRecordsBuilder builder = builder(Compression.NONE, TimestampType.LOG_APPEND_TIME);
        appendRecords(builder);
        return builder.build().buffer();
    }

    static ByteBuffer transactional() {
        MemoryRecordsBuilder builder = builder(ByteBuffer.allocate(4096), Compression.NONE,
            TimestampType.CREATE_TIME, 4000L, (short) 3, 2147483646, true, false);
        appendRecords(builder);
        return builder.build().buffer();
    }

    static ByteBuffer marker(ControlRecordType type) {
        return MemoryRecords.withEndTransactionMarker(55L, TIME, 7, 4000L, (short) 3,
            new EndTransactionMarker(type, 12)).buffer();
    }

    static ByteBuffer deleteHorizon() {
        ByteBuffer buffer = ByteBuffer.allocate(4096);
        MemoryRecordsBuilder builder = new MemoryRecordsBuilder(
            new org.apache.kafka.common.utils.ByteBufferOutputStream(buffer),
            RecordBatch.MAGIC_VALUE_V2, Compression.NONE, TimestampType.CREATE_TIME, 100L,
            RecordBatch.NO_TIMESTAMP, RecordBatch.NO_PRODUCER_ID, RecordBatch.NO_PRODUCER_EPOCH,
            RecordBatch.NO_SEQUENCE, false, false, 7, 4096, TIME + 86_400_000L);
        builder.appendWithOffset(102L, TIME + 70, utf8("tombstone"), (byte[]) null);
        builder.appendWithOffset(104L, TIME + 90, utf8("another"), utf8("value"));
        builder.overrideLastOffset(109L);
        return builder.build().buffer();
    }

    static ByteBuffer empty() {
        ByteBuffer buffer = ByteBuffer.allocate(DefaultRecordBatch.RECORD_BATCH_OVERHEAD);
        DefaultRecordBatch.writeEmptyHeader(buffer, RecordBatch.MAGIC_VALUE_V2, 4000L, (short) 3, 17,
            100L, 105L, 7, TimestampType.CREATE_TIME, TIME + 70, true, false);
        buffer.flip();
        return buffer;
    }

    static ByteBuffer extremeTimestamps() {
        MemoryRecordsBuilder builder = builder(Compression.NONE, TimestampType.CREATE_TIME);
        builder.append(TIME, null, utf8("milliseconds"));
        builder.append(TIME * 1_000_000L, null, utf8("nanoseconds"));
        builder.append(Long.MAX_VALUE, null, utf8("the end of time"));
        builder.append(0L, null, utf8("the epoch"));
        return builder.build().buffer();
    }
}
