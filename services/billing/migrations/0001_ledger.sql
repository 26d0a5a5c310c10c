-- The ledger: one line per billed request ('main') and per credit ('topup:<id>'), appended and never changed.
-- A line of a higher version replaces the lower one of the same key when read with FINAL, which is what ledger_v does.
CREATE TABLE IF NOT EXISTS ledger ${on_cluster} (
    account_id String COMMENT 'Who pays',
    request_id String COMMENT 'The request; of a credit, its event id',
    line LowCardinality(String) COMMENT 'main, or topup:<credit id>',
    version UInt8 COMMENT '1 a hold, 2 final: the higher one counts',
    event_id String COMMENT 'The event that this line was made from',
    payload_sha FixedString(32) COMMENT 'SHA-256 of that event: the same id must always have the same bytes',
    stream_seq UInt64 COMMENT 'Sequence of the message in the LEDGER stream',
    kind LowCardinality(String) COMMENT 'final, hold or credit',
    user_id String COMMENT 'Whose key it was, when it was somebody''s',
    key_id String COMMENT 'The relay key (its id, not the key)',
    client_request_id String COMMENT 'What the client called its request',
    endpoint LowCardinality(String) COMMENT 'chat, responses, messages, embeddings, ...',
    model LowCardinality(String) COMMENT 'As the client named it',
    channel_id LowCardinality(String) COMMENT 'That served it; empty when none did',
    attempts Array(Tuple(channel_id String, upstream_model String, status UInt16, outcome String, ms UInt32))
        COMMENT 'Every upstream that was tried, in order',
    usage Map(LowCardinality(String), UInt64) COMMENT 'Disjoint token buckets and units',
    evidence LowCardinality(String) COMMENT 'Where the usage is from: provider, counted, estimated, hold, none',
    priced Bool COMMENT 'Whether the model had a price',
    price_id String COMMENT 'The price version that was applied',
    price Map(LowCardinality(String), UInt64) COMMENT 'Rates as applied, pico-USD per token or unit',
    lines Array(Tuple(bucket String, quantity UInt64, unit_price_pico UInt64, amount_pico UInt64))
        COMMENT 'The bill, exact: quantity times unit price, pico-USD',
    amount_nano Int64 COMMENT 'Charged to the account (of a credit: given to it), nano-USD',
    house_nano Int64 COMMENT 'Cost above a hard limit, borne by the operator, nano-USD',
    reserved_nano Int64 COMMENT 'What was held for it, nano-USD',
    claimed_nano Int64 COMMENT 'What the edge said should be charged, nano-USD',
    limited Bool COMMENT 'Whether the account was prepaid when this was booked',
    scopes Array(String) COMMENT 'Budgets that this counts against, such as key:<id>:day:2026-11-25',
    outcome LowCardinality(String) COMMENT 'ok, client_gone, upstream_error, upstream_cut, budget_stop, recovered, void',
    status UInt16 COMMENT 'HTTP status that the client saw, 0 when none was sent',
    streamed Bool COMMENT 'Whether the answer was a stream',
    loss Array(String) COMMENT 'Fields that the conversion could not carry',
    first_byte_ms UInt32 COMMENT 'Time to the first byte of the answer',
    duration_ms UInt32 COMMENT 'Time to the end of the answer',
    reserved_at DateTime64(3, 'UTC') COMMENT 'When it was admitted, by the clock of Redis',
    ended_at DateTime64(3, 'UTC') COMMENT 'When it ended, by the clock of the edge',
    edge_id LowCardinality(String) COMMENT 'The edge that served it',
    trace_id String COMMENT 'Its trace',
    reason String COMMENT 'Of a credit: why',
    granted_by String COMMENT 'Of a credit: who gave it',
    ingested_at DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'When it was written here',
    INDEX by_request request_id TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX by_time reserved_at TYPE minmax GRANULARITY 1
) ENGINE = ${engine}ReplacingMergeTree(version)
PARTITION BY toYYYYMM(reserved_at)
ORDER BY (account_id, request_id, line)
SETTINGS
    fsync_after_insert = 1,
    fsync_part_directory = 1,
    non_replicated_deduplication_window = 10000,
    replicated_deduplication_window = 10000,
    replicated_deduplication_window_seconds = 604800
COMMENT 'Billing''s own; read ledger_v, usage, credits or balances instead';

-- A key that is in two partitions is still one line: merging across partitions must stay on.
CREATE VIEW IF NOT EXISTS ledger_v ${on_cluster} AS
SELECT * FROM ledger FINAL
SETTINGS do_not_merge_across_partitions_select_final = 0
COMMENT 'The ledger, every line once, in its newest version. The only way to read it';
