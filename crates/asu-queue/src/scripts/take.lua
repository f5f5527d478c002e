-- Hands the build at the head of the line to a worker. Before that, builds whose lease ran out go back to their place,
-- or are given up, and builds whose delay is over go back to theirs.
-- KEYS as in prelude.lua, 7 is the prefix of records
-- ARGV 1 worker  2 new token  3 lease in ms  4 most attempts  5 ttl in ms of a build that is given up
--   6 "again" if this token was sent before and no answer came: the build that it took then is the answer
-- Answer: {"build", request hash, postponed, enqueued_at, payload} or {"idle", ms until something is due, or -1}
local WORKER, TOKEN, LEASE, MAX_ATTEMPTS, FAILURE_TTL = unpack(ARGV)
local LIMIT = 100 -- of what one call puts right; the next call does the rest
local now = now_ms()

local function handed_out(hash)
  redis.call('ZADD', RUNNING, int(now + LEASE), hash)
  return {'build', hash, unpack(fields(RECORD .. hash, 'postponed', 'enqueued_at', 'payload'))}
end

-- Workers could not renew their leases while this server was away: they get the time of one lease to report.
local function restarted_just_now()
  local info = redis.pcall('INFO', 'server')
  local uptime = type(info) == 'string' and tonumber(string.match(info, 'uptime_in_seconds:(%d+)'))
  return uptime and uptime * 1000 <= tonumber(LEASE)
end

local function reap(hash)
  local record = RECORD .. hash
  local values = fields(record, 'state', 'tries')
  if values[1] ~= 'started' then
    redis.call('ZREM', RUNNING, hash)
  elseif tonumber(values[2]) >= tonumber(MAX_ATTEMPTS) then
    give_up(record, hash, values[2], TOKEN, FAILURE_TTL)
  else
    put_back(record, hash)
  end
end

local function resume(hash)
  redis.call('ZREM', DELAYED, hash)
  local values = fields(RECORD .. hash, 'state', 'seq')
  if values[1] == 'queued' then redis.call('ZADD', PENDING, values[2], hash) end
end

if ARGV[6] == 'again' then
  for _, hash in ipairs(redis.call('ZRANGE', RUNNING, 0, -1)) do
    if owned(RECORD .. hash, TOKEN) then return handed_out(hash) end
  end
end

local expired = redis.call('ZRANGEBYSCORE', RUNNING, '-inf', int(now), 'LIMIT', 0, LIMIT)
local grace = #expired > 0 and restarted_just_now()
if not grace then for _, hash in ipairs(expired) do reap(hash) end end
for _, hash in ipairs(redis.call('ZRANGEBYSCORE', DELAYED, '-inf', int(now), 'LIMIT', 0, LIMIT)) do resume(hash) end

-- An operator wants it to end what it has and no more.
if redis.call('SISMEMBER', DRAINED, string.match(WORKER, '^%S+')) == 1 then return {'idle', -1} end

for _ = 1, LIMIT do
  local hash = redis.call('ZPOPMIN', PENDING)[1]
  if not hash then break end
  local record = RECORD .. hash
  -- A record may be gone, by eviction or by hand.
  if redis.call('HGET', record, 'state') == 'queued' then
    redis.call('HSET', record, 'state', 'started', 'token', TOKEN, 'worker', WORKER, 'stage', 'init',
      'started_at', int(now))
    redis.call('HINCRBY', record, 'tries', 1)
    return handed_out(hash)
  end
end

if redis.call('ZCARD', PENDING) > 0 then return {'idle', 0} end
local due = -1
for _, key in ipairs({RUNNING, DELAYED}) do
  local first = redis.call('ZRANGE', key, 0, 0, 'WITHSCORES')[2]
  local left = first and math.max(first - now, 0)
  if left and key == RUNNING and grace then left = math.max(left, 500) end
  if left and (due < 0 or left < due) then due = left end
end
return {'idle', int(due)}
