-- Answers with the build if it is known, else puts it in line if there is room.
-- KEYS as in prelude.lua   ARGV 1 request hash  2 payload  3 most builds that may wait  4 lease in ms
-- Answer: {"known" | "new", status...} or {"full", number of builds that wait}
local known = status(RECORD, ARGV[1], ARGV[4])
if known[1] then return {'known', unpack(known)} end

local waiting = redis.call('ZCARD', PENDING) + redis.call('ZCARD', DELAYED)
if waiting >= tonumber(ARGV[3]) then return {'full', waiting} end

local seq = redis.call('INCR', SEQ)
redis.call('HSET', RECORD, 'state', 'queued', 'seq', seq, 'payload', ARGV[2], 'tries', 0, 'postponed', 0,
  'enqueued_at', int(now_ms()))
redis.call('ZADD', PENDING, seq, ARGV[1])
redis.call('PUBLISH', WAKE, '')
return {'new', unpack(status(RECORD, ARGV[1], ARGV[4]))}
