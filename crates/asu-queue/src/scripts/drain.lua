-- Says whether a live worker shall take builds.
-- KEYS as in prelude.lua   ARGV 1 name of the worker  2 "drain" or "undrain"
-- Answer, a list of one: "said", or "unknown" if there is no such worker
local found = false
for _, worker in ipairs(redis.call('ZRANGEBYSCORE', WORKERS, '(' .. int(now_ms()), '+inf')) do
  if string.match(worker, '^%S+') == ARGV[1] then found = true end
end
if not found then return {'unknown'} end
if ARGV[2] == 'drain' then
  redis.call('SADD', DRAINED, ARGV[1])
  redis.call('PEXPIRE', DRAINED, 24 * 3600 * 1000)
else
  redis.call('SREM', DRAINED, ARGV[1])
  redis.call('PUBLISH', WAKE, '')
end
return {'said'}
