-- Notes that a worker lives, or that it is gone.
-- KEYS as in prelude.lua   ARGV 1 worker as "name slots"  2 ms until the announcement ends, 0 to take it back
-- Answer: number of live workers
local now = now_ms()
redis.call('ZREMRANGEBYSCORE', WORKERS, '-inf', int(now))
if tonumber(ARGV[2]) > 0 then
  redis.call('ZADD', WORKERS, int(now + ARGV[2]), ARGV[1])
  redis.call('PEXPIRE', WORKERS, ARGV[2])
else
  redis.call('ZREM', WORKERS, ARGV[1])
end
return redis.call('ZCARD', WORKERS)
