-- Sums of closed hours, computed from ledger_v and replaced a day at a time. Which hours they hold is in rollup_hours:
-- every hour before the last clean one is here, except those marked dirty.
CREATE TABLE IF NOT EXISTS usage_hourly ${on_cluster} (
    hour DateTime('UTC') COMMENT 'Start of the hour in which the requests were admitted',
    account_id String,
    user_id String,
    key_id String,
    model LowCardinality(String),
    channel_id LowCardinality(String),
    endpoint LowCardinality(String),
    outcome LowCardinality(String),
    requests UInt64,
    errors UInt64 COMMENT 'Requests that failed for another reason than the client leaving or the budget ending',
    cost_nano Int64 COMMENT 'Charged, nano-USD',
    usage Map(LowCardinality(String), UInt64) COMMENT 'Sums of token buckets and units'
) ENGINE = ${engine}MergeTree
PARTITION BY toYYYYMMDD(hour)
ORDER BY (account_id, hour, model, key_id, user_id, channel_id, endpoint, outcome)
COMMENT 'Billing''s own: complete only together with rollup_hours and ledger_v';

CREATE TABLE IF NOT EXISTS usage_hourly_staging ${on_cluster} AS usage_hourly
ENGINE = ${engine}MergeTree
PARTITION BY toYYYYMMDD(hour)
ORDER BY (account_id, hour, model, key_id, user_id, channel_id, endpoint, outcome)
COMMENT 'Where the next contents of a partition of usage_hourly are put together';

CREATE TABLE IF NOT EXISTS charges_hourly ${on_cluster} (
    hour DateTime('UTC'),
    account_id String,
    scope String COMMENT 'A budget, or empty for the account itself',
    amount_nano Int64 COMMENT 'Charged, nano-USD',
    credits_nano Int64 COMMENT 'Given to the account, nano-USD'
) ENGINE = ${engine}MergeTree
PARTITION BY toYYYYMMDD(hour)
ORDER BY (account_id, scope, hour)
COMMENT 'Billing''s own: complete only together with rollup_hours and ledger_v';

CREATE TABLE IF NOT EXISTS charges_hourly_staging ${on_cluster} AS charges_hourly
ENGINE = ${engine}MergeTree
PARTITION BY toYYYYMMDD(hour)
ORDER BY (account_id, scope, hour)
COMMENT 'Where the next contents of a partition of charges_hourly are put together';

CREATE TABLE IF NOT EXISTS rollup_hours ${on_cluster} (
    hour DateTime('UTC'),
    clean Bool COMMENT 'Whether the hourly tables hold this hour as it is in the ledger',
    version UInt64 COMMENT 'The newest mark of an hour counts'
) ENGINE = ${engine}ReplacingMergeTree(version)
ORDER BY hour
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'Billing''s own: which hours of the hourly tables can be used';
