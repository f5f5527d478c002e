-- Answers with the build if it is known, else puts it in line if its client may have one more and there is room.
-- KEYS as in prelude.lua, and if the build belongs to a client
--   12 waiting  zset, the client's builds by their sequence number; some of them do not wait any more
--   13 recent  zset, the client's new builds of the last hour by the time they came
-- ARGV 1 request hash  2 payload  3 most builds that may wait  4 lease in ms
--   5 most builds of one client that may wait, 0 for any number  6 most new builds of one client in an hour, likewise
--   7 branch if the build counts for the statistics, else ""  8 client if the request counts, too, else ""
-- Answer: {"known" | "new", status...}, {"pending" | "hourly", ms until the client may have one more, or -1}
--   or {"full", number of builds that wait}
local known = status(RECORD, ARGV[1], ARGV[4])
if known[1] then
  if known[1] == 'done' or known[1] == 'failed' then count_request(now_ms(), ARGV[8], true) end
  return {'known', unpack(known)}
end

local HOUR = 3600 * 1000
local WAITING, SHARE = KEYS[12], tonumber(ARGV[5])
local RECENT, HOURLY = KEYS[13], tonumber(ARGV[6])
local now = now_ms()

-- Nothing if one more is within the limit. More than the limit are there after it was lowered.
local function hourly_wait()
  redis.call('ZREMRANGEBYSCORE', RECENT, '-inf', int(now - HOUR))
  local over = redis.call('ZCARD', RECENT) - HOURLY
  if over < 0 then return nil end
  return math.min(redis.call('ZRANGE', RECENT, over, over, 'WITHSCORES')[2] + HOUR - now, HOUR)
end

-- The same for the share of the line. The records decide what waits, so nobody else has to keep count; they are asked
-- only when the share looks used up. A build at work stays listed, since it may come back to the line.
local function share_wait()
  if redis.call('ZCARD', WAITING) < SHARE then return nil end
  local records = string.sub(RECORD, 1, -#ARGV[1] - 1)
  local listed, waiting, first = redis.call('ZRANGE', WAITING, 0, -1, 'WITHSCORES'), 0, nil
  for i = 1, #listed, 2 do
    local hash, seq = listed[i], listed[i + 1]
    local values = fields(records .. hash, 'state', 'seq')
    if values[2] ~= seq or (values[1] ~= 'queued' and values[1] ~= 'started') then
      redis.call('ZREM', WAITING, hash)
    elseif values[1] == 'queued' then
      waiting, first = waiting + 1, first or {records .. hash, hash, seq}
    end
  end
  if waiting < SHARE then return nil end
  return eta(first[1], first[2], position(unpack(first)))
end

local wait = RECENT and HOURLY > 0 and hourly_wait()
if wait then return {'hourly', int(wait)} end
wait = WAITING and SHARE > 0 and share_wait()
if wait then return {'pending', int(wait)} end

local waiting = redis.call('ZCARD', PENDING) + redis.call('ZCARD', DELAYED)
if waiting >= tonumber(ARGV[3]) then return {'full', waiting} end

local seq = redis.call('INCR', SEQ)
redis.call('HSET', RECORD, 'state', 'queued', 'seq', seq, 'payload', ARGV[2], 'tries', 0, 'postponed', 0,
  'enqueued_at', int(now))
if ARGV[7] ~= '' then redis.call('HSET', RECORD, 'branch', ARGV[7]) end
count_request(now, ARGV[8], false)
redis.call('ZADD', PENDING, seq, ARGV[1])
if WAITING and SHARE > 0 then
  redis.call('ZADD', WAITING, seq, ARGV[1])
  redis.call('PEXPIRE', WAITING, 24 * HOUR)
end
if RECENT and HOURLY > 0 then
  redis.call('ZADD', RECENT, int(now), seq)
  redis.call('PEXPIRE', RECENT, HOUR)
end
redis.call('PUBLISH', WAKE, '')
return {'new', unpack(status(RECORD, ARGV[1], ARGV[4]))}
