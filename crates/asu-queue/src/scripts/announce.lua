-- Notes that a worker lives, or that it is gone.
-- KEYS as in prelude.lua   ARGV 1 worker as "name slots"  2 ms until the announcement ends, 0 to take it back
-- Answer: number of live workers
local NAME = string.match(ARGV[1], '^%S+')
local now = now_ms()
redis.call('ZREMRANGEBYSCORE', WORKERS, '-inf', int(now))
if tonumber(ARGV[2]) > 0 then
  redis.call('ZADD', WORKERS, int(now + ARGV[2]), ARGV[1])
  redis.call('PEXPIRE', WORKERS, ARGV[2])
  -- What an operator said of a worker is forgotten when it is gone, and not while this server is away.
  if redis.call('SISMEMBER', DRAINED, NAME) == 1 then redis.call('PEXPIRE', DRAINED, 24 * 3600 * 1000) end
else
  redis.call('ZREM', WORKERS, ARGV[1])
  redis.call('SREM', DRAINED, NAME)
end
return redis.call('ZCARD', WORKERS)
