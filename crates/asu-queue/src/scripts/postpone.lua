-- Puts a build off because of trouble that is not its own, if the token still holds it.
-- KEYS as in prelude.lua   ARGV 1 request hash  2 token  3 delay in ms  4 ms of trouble after which the build is dropped
-- Answer, a list of one: "postponed", "dropped" or "lost"
if not owned(RECORD, ARGV[2]) then return {'lost'} end
local now = now_ms()
redis.call('HSETNX', RECORD, 'trouble_since', int(now))
if now - redis.call('HGET', RECORD, 'trouble_since') > tonumber(ARGV[4]) then
  redis.call('DEL', RECORD)
  redis.call('ZREM', RUNNING, ARGV[1])
  return {'dropped'}
end
redis.call('HINCRBY', RECORD, 'tries', -1)
redis.call('HINCRBY', RECORD, 'postponed', 1)
leave_work(RECORD, ARGV[1], 'queued')
redis.call('ZADD', DELAYED, int(now + ARGV[3]), ARGV[1])
-- Idle workers look up when the next build is due.
redis.call('PUBLISH', WAKE, '')
return {'postponed'}
