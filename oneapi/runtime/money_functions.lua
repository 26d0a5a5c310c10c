#!lua name=oneapi
-- The money of one account, as far as admission needs it. Everything here is derived state: it may vanish at any moment
-- and is rebuilt from the ledger. Rules of this file: every check comes before the first write (Lua doesn't roll back);
-- amounts are nano-USD below 2^53 and are printed with '%.0f'; time is the server's own; all keys of a call are in one
-- slot, because they carry the account's id in braces.
--
-- b:{account}            hash  epoch, rb, pver, credits, posted, unposted, reserved; and the last three per ":<scope>"
-- r:{account}:<rid>      hash  one reservation: st, amt, act, scopes, hard, lease, at_ms, edge, key, user, model, tpm, tpm_us
-- z:{account}            zset  rid by the end of its lease in ms
-- g:{account}:<key>:rpm  string  GCRA: theoretical arrival time in microseconds (and :tpm)
-- c:{account}:<key>      zset  requests in flight by the end of their lease in ms

local VERSION = 2
local MINUTE_US = 60000000
local DAY_MS = 86400000

local function text(number)
  return string.format('%.0f', number)
end

local function number(value)
  return tonumber(value or '0') or 0
end

local function join(...)
  return table.concat({...}, '\t')
end

local function now_us()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000000 + tonumber(time[2])
end

local function split(lines)
  local found = {}
  for line in string.gmatch(lines or '', '[^\n]+') do
    found[#found + 1] = line
  end
  return found
end

-- The account's part of a key's name, braces included: "b:{a}" -> "{a}".
local function tag(balance_key)
  return string.sub(balance_key, 3)
end

-- Adds to a counter of the account and of each scope; a counter that comes to nothing is not kept.
local function add(balance_key, counter, scopes, amount)
  if amount == 0 then
    return
  end
  local step = text(amount)
  if redis.call('HINCRBY', balance_key, counter, step) == 0 then
    redis.call('HDEL', balance_key, counter)
  end
  for _, scope in ipairs(scopes) do
    local field = counter .. ':' .. scope
    if redis.call('HINCRBY', balance_key, field, step) == 0 then
      redis.call('HDEL', balance_key, field)
    end
  end
end

local function committed(balance_key, suffix)
  local parts = redis.call('HMGET', balance_key, 'posted' .. suffix, 'unposted' .. suffix, 'reserved' .. suffix)
  return number(parts[1]) + number(parts[2]) + number(parts[3])
end

-- Microseconds of a minute that so many requests or tokens take. Rounded down, so that exactly `limit` fit into one.
local function cost_of(count, limit)
  return math.floor(count * MINUTE_US / limit)
end

-- GCRA whose burst is a whole minute's worth. Returns the arrival time before, the cost, and how long to wait until it
-- fits (0: now), all in microseconds. A request larger than the minute's worth needs all of it, and settling charges
-- the rest.
local function gcra(key, limit, count, now)
  local arrival = math.max(number(redis.call('GET', key)), now)
  if limit <= 0 then
    return arrival, MINUTE_US, MINUTE_US
  end
  local cost = math.min(cost_of(count, limit), MINUTE_US)
  return arrival, cost, math.max(arrival + cost - now - MINUTE_US, 0)
end

local function keep_arrival(key, arrival, now)
  if arrival > now then
    redis.call('SET', key, text(arrival), 'PX', text(math.ceil((arrival - now) / 1000) + 1))
  else
    redis.call('DEL', key)
  end
end

-- What is left of a minute's worth at this arrival time, and the milliseconds until all of it is there again.
local function left(limit, arrival, now)
  local debt = math.max(arrival - now, 0)
  return text(math.max(math.floor((MINUTE_US - debt) * limit / MINUTE_US), 0)), text(math.ceil(debt / 1000))
end

-- The account's credit. A prepaid account without any left is refused even what costs nothing.
local function refused_by_credit(state, amount)
  local used = number(state[4]) + number(state[5]) + number(state[6])
  local credits = number(state[3])
  if used + amount > credits or used >= credits then
    return credits, used
  end
  return nil
end

-- Which period of each budget is now, and whether the amount fits there. args from `at`: the number of budgets, then
-- for each its limit, its first period's start, the number of periods, and scope and end of each (0: it never ends).
local function choose_scopes(balance_key, args, at, amount, now_ms)
  local scopes, seen, refusal = {}, {}, nil
  local budgets = tonumber(args[at])
  at = at + 1
  for _ = 1, budgets do
    local limit, start, periods = tonumber(args[at]), tonumber(args[at + 1]), tonumber(args[at + 2])
    at = at + 3
    local scope, ends = nil, 0
    for period = 0, periods - 1 do
      local period_end = tonumber(args[at + 2 * period + 1])
      if not scope and now_ms >= start and (period_end == 0 or now_ms < period_end) then
        scope, ends = args[at + 2 * period], period_end
      end
    end
    at = at + 2 * periods
    if not scope then
      return nil, join('clock', text(now_ms))
    end
    local used = committed(balance_key, ':' .. scope)
    if used + amount > limit and not refusal then
      refusal = join('no', text(now_ms), 'budget', text(limit), text(used), scope, text(ends))
    end
    -- Two budgets over one period are two limits on one counter.
    if not seen[scope] then
      seen[scope] = true
      scopes[#scopes + 1] = scope
    end
  end
  return scopes, refusal
end

-- Rates of one key. Returns a refusal, or nil and what to write.
local function check_rates(keys, limits, now)
  local now_ms = text(math.floor(now / 1000))
  local taken = {}
  if limits.concurrency then
    local running = redis.call('ZCOUNT', keys[6], '(' .. now_ms, '+inf')
    if running >= limits.concurrency then
      return join('no', now_ms, 'concurrency', text(limits.concurrency), text(running), '', '1000')
    end
  end
  for place, name in ipairs({'rpm', 'tpm'}) do
    local limit = limits[name]
    if limit then
      local count = name == 'rpm' and 1 or limits.tokens
      local arrival, cost, wait = gcra(keys[3 + place], limit, count, now)
      if wait > 0 then
        local used = math.ceil((arrival - now) * limit / MINUTE_US)
        return join('no', now_ms, name, text(limit), text(used), '', text(math.ceil(wait / 1000)))
      end
      taken[name] = {arrival = arrival + cost, cost = cost}
    end
  end
  return nil, taken
end

local function granted(keys, fields, limits, now)
  local answer = {'ok', text(math.floor(now / 1000)), fields.at_ms, fields.lease, fields.hard, fields.scopes}
  for place, name in ipairs({'rpm', 'tpm'}) do
    local remaining, reset = '', ''
    if limits[name] then
      remaining, reset = left(limits[name], number(redis.call('GET', keys[3 + place])), now)
    end
    answer[#answer + 1] = remaining
    answer[#answer + 1] = reset
  end
  return table.concat(answer, '\t')
end

local function write_reservation(keys, rid, fields, taken, limits, now)
  redis.call('HSET', keys[3], 'st', 'pending', 'amt', fields.amt, 'scopes', fields.scopes, 'hard', fields.hard,
    'lease', fields.lease, 'at_ms', fields.at_ms, 'edge', fields.edge, 'key', fields.key, 'user', fields.user,
    'model', fields.model)
  redis.call('ZADD', keys[2], fields.lease, rid)
  if taken.rpm then
    keep_arrival(keys[4], taken.rpm.arrival, now)
  end
  if taken.tpm then
    keep_arrival(keys[5], taken.tpm.arrival, now)
    redis.call('HSET', keys[3], 'tpm', text(limits.tpm), 'tpm_us', text(taken.tpm.cost))
  end
  if limits.concurrency then
    redis.call('ZREMRANGEBYSCORE', keys[6], '-inf', fields.at_ms)
    redis.call('ZADD', keys[6], fields.lease, rid)
    redis.call('PEXPIRE', keys[6], text(number(fields.lease) - number(fields.at_ms) + DAY_MS))
  end
end

-- keys: b z r rpm tpm c
-- args: rid amount lease_ms not_after_ms unlimited rpm tpm tokens concurrency edge key user model, then the budgets
-- Answers, tab-separated: ok now at lease_end hard scopes rpm_left rpm_reset_ms tpm_left tpm_reset_ms
--   no now rule limit used scope reset_at_ms|wait_ms      uninit now rebuild_nonce      late now      clock now
local function reserve(keys, args)
  local now = now_us()
  local now_ms = math.floor(now / 1000)
  local rid, amount, not_after = args[1], tonumber(args[2]), tonumber(args[4])
  local limits = {
    rpm = tonumber(args[6]), tpm = tonumber(args[7]), tokens = tonumber(args[8]), concurrency = tonumber(args[9]),
  }
  if not_after > 0 and now_ms > not_after then
    -- The edge gave up on this long ago and has already written that nothing was taken.
    return join('late', text(now_ms))
  end
  local state = redis.call('HMGET', keys[1], 'epoch', 'rb', 'credits', 'posted', 'unposted', 'reserved')
  if not state[1] then
    return join('uninit', text(now_ms), state[2] or '')
  end
  local known = redis.call('HMGET', keys[3], 'at_ms', 'lease', 'hard', 'scopes')
  if known[1] then
    local fields = {at_ms = known[1], lease = known[2], hard = known[3], scopes = known[4]}
    return granted(keys, fields, limits, now)
  end
  if args[5] ~= '1' then
    local credits, used = refused_by_credit(state, amount)
    if credits then
      return join('no', text(now_ms), 'credits', text(credits), text(used), '', '0')
    end
  end
  local scopes, refusal = choose_scopes(keys[1], args, 14, amount, now_ms)
  if refusal then
    return refusal
  end
  local over, taken = check_rates(keys, limits, now)
  if over then
    return over
  end
  local fields = {
    amt = args[2], scopes = table.concat(scopes, '\n'), hard = (args[5] ~= '1' or #scopes > 0) and '1' or '0',
    lease = text(now_ms + tonumber(args[3])), at_ms = text(now_ms),
    edge = args[10], key = args[11], user = args[12], model = args[13],
  }
  add(keys[1], 'reserved', scopes, amount)
  write_reservation(keys, rid, fields, taken, limits, now)
  return granted(keys, fields, limits, now)
end

-- keys: b z r tpm c; args: rid actual_amount actual_tokens
-- 1 when this settled it, 0 when there is nothing to settle (its place among the key's requests is given back all the
-- same), -1 when the amount is above what a hard limit let reserve.
local function settle(keys, args)
  local held = redis.call('HMGET', keys[3], 'st', 'amt', 'scopes', 'hard', 'tpm', 'tpm_us')
  redis.call('ZREM', keys[5], args[1])
  if held[1] ~= 'pending' then
    return 0
  end
  local reserved, actual = tonumber(held[2]), tonumber(args[2])
  if held[4] == '1' and actual > reserved then
    return -1
  end
  local scopes = split(held[3])
  if redis.call('HEXISTS', keys[1], 'epoch') == 1 then
    add(keys[1], 'reserved', scopes, -reserved)
    add(keys[1], 'unposted', scopes, actual)
  end
  redis.call('HSET', keys[3], 'st', 'settled', 'act', args[2])
  if held[5] then
    local now = now_us()
    local owed = cost_of(tonumber(args[3]), tonumber(held[5])) - tonumber(held[6])
    keep_arrival(keys[4], math.max(number(redis.call('GET', keys[4])), now) + owed, now)
  end
  return 1
end

-- keys: b r; args: extra_amount extension_number, then the number of budgets and scope and limit of each, then unlimited
-- Answers: "ok <amount now reserved>", "no <rule> <limit> <used> <scope>", "gone", "order"
local function extend(keys, args)
  local held = redis.call('HMGET', keys[2], 'st', 'amt', 'scopes', 'ext', 'ext_answer')
  local extra, turn = tonumber(args[1]), tonumber(args[2])
  local done = number(held[4])
  if held[1] ~= 'pending' or redis.call('HEXISTS', keys[1], 'epoch') == 0 then
    return 'gone'
  end
  if turn == done and held[5] then
    return held[5]
  end
  if turn ~= done + 1 then
    return 'order'
  end
  local budgets = tonumber(args[3])
  local answer = nil
  if args[4 + 2 * budgets] ~= '1' then
    local state = redis.call('HMGET', keys[1], 'epoch', 'rb', 'credits', 'posted', 'unposted', 'reserved')
    local credits, used = refused_by_credit(state, extra)
    if credits then
      answer = join('no', 'credits', text(credits), text(used), '')
    end
  end
  for budget = 0, budgets - 1 do
    local scope, limit = args[4 + 2 * budget], tonumber(args[5 + 2 * budget])
    local used = committed(keys[1], ':' .. scope)
    if not answer and used + extra > limit then
      answer = join('no', 'budget', text(limit), text(used), scope)
    end
  end
  if not answer then
    local amount = text(tonumber(held[2]) + extra)
    add(keys[1], 'reserved', split(held[3]), extra)
    redis.call('HSET', keys[2], 'amt', amount)
    answer = join('ok', amount)
  end
  redis.call('HSET', keys[2], 'ext', args[2], 'ext_answer', answer)
  return answer
end

-- keys: b z, then r of each rid
-- args: pver, credits ('' leaves them), posted, number of scopes and scope and sum of each, then the rids
-- Without a posted sum ('') what it closes counts as posted until the sums come: of more reservations than one call
-- should close, nothing is ever counted twice, nor not at all.
-- A scope whose sum is '' is forgotten when nothing is open in it: its period is over.
-- Returns how many reservations it closed, -1 when a newer writer has been here, -2 when the account isn't open.
local function post(keys, args)
  local stored = redis.call('HMGET', keys[1], 'epoch', 'pver')
  if not stored[1] then
    return -2
  end
  if tonumber(args[1]) < number(stored[2]) then
    return -1
  end
  local scopes = tonumber(args[4])
  local first = 4 + 2 * scopes
  local moved = args[3] == ''
  local closed = 0
  for place = 1, #keys - 2 do
    local rid, key = args[first + place], keys[place + 2]
    local held = redis.call('HMGET', key, 'st', 'amt', 'act', 'scopes', 'key')
    if held[1] then
      local pending = held[1] == 'pending'
      local touched, amount = split(held[4]), tonumber(pending and held[2] or held[3])
      add(keys[1], pending and 'reserved' or 'unposted', touched, -amount)
      if moved then
        add(keys[1], 'posted', touched, amount)
      end
      closed = closed + 1
      redis.call('DEL', key)
      redis.call('ZREM', 'c:' .. tag(keys[1]) .. ':' .. (held[5] or ''), rid)
    end
    redis.call('ZREM', keys[2], rid)
  end
  redis.call('HSET', keys[1], 'pver', args[1])
  if not moved then
    redis.call('HSET', keys[1], 'posted', args[3])
  end
  if args[2] ~= '' then
    redis.call('HSET', keys[1], 'credits', args[2])
  end
  for place = 0, scopes - 1 do
    local scope, sum = args[5 + 2 * place], args[6 + 2 * place]
    if sum ~= '' then
      redis.call('HSET', keys[1], 'posted:' .. scope, sum)
    else
      local open = redis.call('HMGET', keys[1], 'unposted:' .. scope, 'reserved:' .. scope)
      if not open[1] and not open[2] then
        redis.call('HDEL', keys[1], 'posted:' .. scope)
      end
    end
  end
  return closed
end

-- keys: b z; args: nonce pver
-- Closes the account and forgets all that is known of it, so that it can be built anew. 1, or -1 for an older writer.
local function rebuild(keys, args)
  local stored = redis.call('HMGET', keys[1], 'epoch', 'pver', 'rb')
  if tonumber(args[2]) < number(stored[2]) then
    return -1
  end
  if not stored[1] and stored[3] == args[1] then
    return 1
  end
  local prefix = 'r:' .. tag(keys[1]) .. ':'
  for _, rid in ipairs(redis.call('ZRANGE', keys[2], 0, -1)) do
    redis.call('DEL', prefix .. rid)
  end
  redis.call('DEL', keys[1], keys[2])
  redis.call('HSET', keys[1], 'rb', args[1], 'pver', args[2])
  return 1
end

-- keys: b z r; args: nonce rid amount lease_end_ms at_ms hard scopes edge key user model
-- Puts back a reservation that an edge says is open. 1, or -1 when this rebuild is no longer the one under way.
local function force(keys, args)
  local stored = redis.call('HMGET', keys[1], 'epoch', 'rb')
  if stored[1] or stored[2] ~= args[1] then
    return -1
  end
  if redis.call('EXISTS', keys[3]) == 0 then
    redis.call('HSET', keys[3], 'st', 'pending', 'amt', args[3], 'scopes', args[7], 'hard', args[6],
      'lease', args[4], 'at_ms', args[5], 'edge', args[8], 'key', args[9], 'user', args[10], 'model', args[11])
    redis.call('ZADD', keys[2], args[4], args[2])
  end
  return 1
end

-- keys: b z; args: nonce epoch pver credits posted, number of scopes and scope and sum of each
-- Opens the account: the sums as given, and what is open counted anew from the reservations themselves.
-- 1 (also when it is open with this epoch already), 0 when this rebuild is no longer the one under way.
local function open(keys, args)
  local stored = redis.call('HMGET', keys[1], 'epoch', 'rb')
  if stored[1] == args[2] then
    return 1
  end
  if stored[1] or stored[2] ~= args[1] then
    return 0
  end
  redis.call('DEL', keys[1])
  local prefix = 'r:' .. tag(keys[1]) .. ':'
  for _, rid in ipairs(redis.call('ZRANGE', keys[2], 0, -1)) do
    local held = redis.call('HMGET', prefix .. rid, 'st', 'amt', 'act', 'scopes')
    if held[1] == 'pending' then
      add(keys[1], 'reserved', split(held[4]), tonumber(held[2]))
    elseif held[1] == 'settled' then
      add(keys[1], 'unposted', split(held[4]), tonumber(held[3]))
    else
      redis.call('ZREM', keys[2], rid)
    end
  end
  for place = 0, tonumber(args[6]) - 1 do
    redis.call('HSET', keys[1], 'posted:' .. args[7 + 2 * place], args[8 + 2 * place])
  end
  redis.call('HSET', keys[1], 'epoch', args[2], 'pver', args[3], 'credits', args[4], 'posted', args[5])
  return 1
end

-- keys: b; args: scopes. Returns epoch (or ''), nonce (or ''), credits, posted, unposted, reserved, then the last
-- three of each scope.
local function balances(keys, args)
  local found = redis.call('HMGET', keys[1], 'epoch', 'rb', 'credits', 'posted', 'unposted', 'reserved')
  local answer = {found[1] or '', found[2] or ''}
  for place = 3, 6 do
    answer[place] = found[place] or '0'
  end
  for _, scope in ipairs(args) do
    local parts = redis.call('HMGET', keys[1], 'posted:' .. scope, 'unposted:' .. scope, 'reserved:' .. scope)
    for place = 1, 3 do
      answer[#answer + 1] = parts[place] or '0'
    end
  end
  return answer
end

redis.register_function{function_name = 'oneapi_version', callback = function() return VERSION end, flags = {'no-writes'}}
redis.register_function('oneapi_reserve', reserve)
redis.register_function{function_name = 'oneapi_settle', callback = settle, flags = {'allow-oom'}}
redis.register_function('oneapi_extend', extend)
redis.register_function{function_name = 'oneapi_post', callback = post, flags = {'allow-oom'}}
redis.register_function('oneapi_rebuild', rebuild)
redis.register_function('oneapi_force', force)
redis.register_function('oneapi_open', open)
redis.register_function{function_name = 'oneapi_balances', callback = balances, flags = {'no-writes'}}
