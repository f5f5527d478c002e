-- What every script begins with, after counting.lua. Each gets the same KEYS:
--   1 pending  zset, builds in line by their sequence number
--   2 running  zset, builds at work by the end of their lease
--   3 delayed  zset, builds put off by trouble of the surroundings, by the time they are due
--   4 seq      counter of the sequence numbers
--   5 workers  zset, live workers as "name slots" by the time their announcement ends
--   6 wake     channel on which workers listen
--   7 record   hash of the one build that the script is about, or the prefix of all such keys
--   8 durations  list of how long the latest builds took, in ms
--   9 stats    prefix of the keys of counting.lua
--  10 stored   zset, the names under which images are stored, by the time their builds ended; some have no record any more
--  11 drained  set, names of workers that shall take no more builds
-- A build that is not finished is in exactly one of pending, running and delayed. All times are this server's, in
-- milliseconds. Every script may be sent twice: the second time it changes nothing and answers the same or "lost".
local PENDING, RUNNING, DELAYED, SEQ, WORKERS, WAKE, RECORD = unpack(KEYS)
local DURATIONS = KEYS[8]
local STORED, DRAINED = KEYS[10], KEYS[11]

local function now_ms()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

-- Lua prints large numbers with an exponent otherwise.
local function int(number)
  return string.format('%.0f', number)
end

-- A missing field is an empty text.
local function fields(record, ...)
  local values = redis.call('HMGET', record, ...)
  for i = 1, #values do values[i] = values[i] or '' end
  return values
end

local function owned(record, token)
  local values = fields(record, 'state', 'token')
  return values[1] == 'started' and values[2] == token
end

local function leave_work(record, hash, state)
  redis.call('HSET', record, 'state', state)
  redis.call('HDEL', record, 'token', 'worker', 'stage', 'build_cmd', 'started_at')
  redis.call('ZREM', RUNNING, hash)
end

-- To the place in line that the build had before: in front of everything that came after it.
local function put_back(record, hash)
  leave_work(record, hash, 'queued')
  redis.call('ZADD', PENDING, redis.call('HGET', record, 'seq'), hash)
  redis.call('PUBLISH', WAKE, '')
end

-- The name under which the images of an attempt are stored.
local function stored_name(hash, token)
  return hash .. '-' .. string.sub(token, 1, 12)
end

-- What the record of a build says of the images that are stored under a name: "done" if it is theirs, "running" if their
-- attempt holds the build, else "gone". Then when the build ended and how many bytes there are, as far as it is known.
local function judge_stored(record, name)
  local values = fields(record, 'state', 'token', 'finished_at', 'size')
  if stored_name(string.sub(name, 1, 64), values[2]) == name then
    if values[1] == 'done' then return 'done', values[3], values[4] end
    if values[1] == 'started' then return 'running', '', '' end
  end
  return 'gone', '', ''
end

-- To the end of the line, with nothing left of the attempts before.
local function start_over(record, hash)
  local seq = redis.call('INCR', SEQ)
  redis.call('HDEL', record, 'token', 'worker', 'stage', 'build_cmd', 'started_at', 'finished_at', 'outcome', 'size',
    'gave_up', 'cancelled', 'trouble_since')
  redis.call('HSET', record, 'state', 'queued', 'seq', seq, 'tries', 0, 'postponed', 0, 'enqueued_at', int(now_ms()))
  redis.call('PERSIST', record)
  redis.call('ZADD', PENDING, seq, hash)
  redis.call('PUBLISH', WAKE, '')
end

-- A new token, so that a worker that was taken for dead cannot finish what was given up.
local function give_up(record, hash, tries, new_token, ttl)
  redis.call('HSET', record, 'state', 'failed', 'token', new_token, 'gave_up', tries, 'finished_at', int(now_ms()))
  redis.call('HDEL', record, 'worker', 'stage')
  redis.call('ZREM', RUNNING, hash)
  redis.call('PEXPIRE', record, ttl)
  count_failure(now_ms(), record, {kind = 'gave_up', attempts = tonumber(tries)})
end

-- How many builds go before this one. A queued build that is nowhere in line (an evicted key) is put there again.
local function position(record, hash, seq)
  local rank = redis.call('ZRANK', PENDING, hash)
  if rank then return rank end
  if not redis.call('ZSCORE', DELAYED, hash) then
    redis.call('ZADD', PENDING, seq, hash)
    redis.call('PUBLISH', WAKE, '')
    return redis.call('ZRANK', PENDING, hash)
  end
  -- Once the delay is over it is in front of everything that came after it.
  return redis.call('ZCOUNT', PENDING, '-inf', '(' .. seq)
end

-- How many builds the live workers run at the same time, save those that take no more.
local function slots()
  local sum = 0
  for _, worker in ipairs(redis.call('ZRANGEBYSCORE', WORKERS, '(' .. int(now_ms()), '+inf')) do
    local name, count = string.match(worker, '^(%S+) (%d+)$')
    if redis.call('SISMEMBER', DRAINED, name or worker) == 0 then sum = sum + (tonumber(count) or 1) end
  end
  return sum
end

-- Of the last 32 builds only, and for a day: estimates follow what is built now.
local function note_duration(started_at)
  local since = tonumber(started_at)
  if not since then return end
  redis.call('LPUSH', DURATIONS, int(math.max(now_ms() - since, 0)))
  redis.call('LTRIM', DURATIONS, 0, 31)
  redis.call('PEXPIRE', DURATIONS, 24 * 3600 * 1000)
end

-- How long a build takes, in ms; nothing if none ended lately.
local function mean_duration()
  local sum, durations = 0, redis.call('LRANGE', DURATIONS, 0, -1)
  for _, duration in ipairs(durations) do sum = sum + duration end
  return #durations > 0 and sum / #durations or nil
end

-- In how many ms a worker will take a queued build that so many go before; -1 if nobody can tell. It is reckoned as if
-- each build took as long as the mean: then the slots become free in one and the same order, round after round.
local function eta(record, hash, ahead)
  local mean, all = mean_duration(), slots()
  if not mean or all == 0 then return -1 end
  local now, left = now_ms(), {}
  local records = string.sub(record, 1, -#hash - 1)
  for _, running in ipairs(redis.call('ZRANGE', RUNNING, 0, all - 1)) do
    local since = tonumber(redis.call('HGET', records .. running, 'started_at') or nil) or now
    table.insert(left, math.max(mean - math.max(now - since, 0), 0))
  end
  table.sort(left)
  local turn, free = ahead % all, all - #left
  local wait = math.floor(ahead / all) * mean + (turn < free and 0 or left[turn - free + 1])
  local due = redis.call('ZSCORE', DELAYED, hash)
  return due and math.max(wait, due - now) or wait
end

-- The state of a build and the few fields that go with it; nothing if there is no such build.
local function status(record, hash, lease)
  local state = redis.call('HGET', record, 'state')
  if not state then return {} end
  if state == 'queued' then
    local values = fields(record, 'seq', 'enqueued_at')
    local ahead = position(record, hash, values[1])
    return {state, ahead, values[2], int(eta(record, hash, ahead))}
  end
  if state == 'started' then
    -- Without a lease nobody would ever notice that the worker is gone.
    if not redis.call('ZSCORE', RUNNING, hash) then redis.call('ZADD', RUNNING, int(now_ms() + lease), hash) end
    local values = fields(record, 'enqueued_at', 'started_at', 'stage', 'build_cmd', 'payload')
    return {state, unpack(values)}
  end
  return {state, unpack(fields(record, 'token', 'enqueued_at', 'finished_at'))}
end
