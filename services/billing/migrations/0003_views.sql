-- What operators query. Every amount is exact.
CREATE VIEW IF NOT EXISTS usage ${on_cluster} (
    at DateTime64(3, 'UTC') COMMENT 'When the request was admitted',
    request_id String COMMENT 'As in the header x-request-id',
    account_id String COMMENT 'Who paid',
    user_id String COMMENT 'Whose key it was, when it was somebody''s',
    key_id String COMMENT 'The relay key',
    endpoint LowCardinality(String) COMMENT 'chat, responses, messages, embeddings, ...',
    model LowCardinality(String) COMMENT 'As the client named it',
    channel_id LowCardinality(String) COMMENT 'That served it; empty when none did',
    attempts UInt64 COMMENT 'Upstreams that were tried',
    outcome LowCardinality(String) COMMENT 'ok, client_gone, upstream_error, upstream_cut, budget_stop, recovered',
    failed Bool COMMENT 'Counted as an error in /api/usage',
    status UInt16 COMMENT 'HTTP status that the client saw',
    streamed Bool COMMENT 'Whether the answer was a stream',
    input_tokens UInt64 COMMENT 'All tokens of the prompt: plain, cached, written to a cache, audio, images',
    cached_input_tokens UInt64 COMMENT 'Those of them that were read from a cache',
    output_tokens UInt64 COMMENT 'All tokens of the answer: text, reasoning, audio, images',
    reasoning_tokens UInt64 COMMENT 'Those of them that were reasoning',
    usage Map(LowCardinality(String), UInt64) COMMENT 'Every bucket and unit by its name',
    evidence LowCardinality(String) COMMENT 'Where the usage is from: provider, counted, estimated, hold, none',
    cost_usd Decimal(38, 9) COMMENT 'Charged to the account',
    house_usd Decimal(38, 9) COMMENT 'Cost above a hard limit, borne by the operator',
    first_byte_ms UInt32 COMMENT 'Time to the first byte of the answer',
    duration_ms UInt32 COMMENT 'Time to the end of the answer',
    edge_id LowCardinality(String) COMMENT 'The edge that served it',
    trace_id String COMMENT 'Its trace'
) AS
SELECT
    reserved_at AS at,
    request_id,
    account_id,
    user_id,
    key_id,
    endpoint,
    model,
    channel_id,
    length(attempts) AS attempts,
    outcome,
    outcome IN ('upstream_error', 'upstream_cut', 'recovered') OR (outcome = 'ok' AND status >= 400) AS failed,
    status,
    streamed,
    usage['input'] + usage['cached_input'] + usage['cache_write_5m'] + usage['cache_write_1h'] + usage['audio_input']
        + usage['image_input'] AS input_tokens,
    usage['cached_input'] AS cached_input_tokens,
    usage['output'] + usage['reasoning'] + usage['audio_output'] + usage['image_output'] AS output_tokens,
    usage['reasoning'] AS reasoning_tokens,
    usage,
    evidence,
    toDecimal128(amount_nano, 9) / 1000000000 AS cost_usd,
    toDecimal128(house_nano, 9) / 1000000000 AS house_usd,
    first_byte_ms,
    duration_ms,
    edge_id,
    trace_id
FROM ledger_v
WHERE line = 'main' AND outcome != 'void'
COMMENT 'Every billed request once';

CREATE VIEW IF NOT EXISTS credits ${on_cluster} (
    at DateTime64(3, 'UTC') COMMENT 'When it was given',
    credit_id String COMMENT 'The credit''s id in the management API',
    account_id String COMMENT 'Who got it',
    amount_usd Decimal(38, 9) COMMENT 'How much; below zero it was taken back',
    reason String COMMENT 'Why',
    granted_by String COMMENT 'Who gave it'
) AS
SELECT
    reserved_at AS at,
    substring(line, length('topup:') + 1) AS credit_id,
    account_id,
    toDecimal128(amount_nano, 9) / 1000000000 AS amount_usd,
    reason,
    granted_by
FROM ledger_v
WHERE line != 'main'
COMMENT 'Every credit once';

CREATE VIEW IF NOT EXISTS balances ${on_cluster} (
    account_id String COMMENT 'The account',
    credits_usd Decimal(38, 9) COMMENT 'Everything that it was given',
    charged_usd Decimal(38, 9) COMMENT 'Everything that it was charged',
    balance_usd Decimal(38, 9) COMMENT 'The difference',
    requests UInt64 COMMENT 'Billed requests',
    last_at DateTime64(3, 'UTC') COMMENT 'Its last request or credit'
) AS
SELECT
    account_id,
    sumIf(toDecimal128(amount_nano, 9), line != 'main') / 1000000000 AS credits_usd,
    sumIf(toDecimal128(amount_nano, 9), line = 'main') / 1000000000 AS charged_usd,
    (sumIf(toDecimal128(amount_nano, 9), line != 'main') - sumIf(toDecimal128(amount_nano, 9), line = 'main'))
        / 1000000000 AS balance_usd,
    countIf(line = 'main' AND outcome != 'void') AS requests,
    max(reserved_at) AS last_at
FROM ledger_v
GROUP BY account_id
COMMENT 'What each account was given, was charged and has left';
