-- Notes that an ImageBuilder image was used, and of other images that they are known from now on.
-- KEYS as in prelude.lua, then a zset of ids by their latest use   ARGV 1 id that is used or ""  2... ids that are known
-- Answer, for each id that is known: ms since its latest use
local USES = KEYS[#KEYS]
local now = now_ms()
-- Whatever was not used for so long is gone from every machine, or begins anew.
redis.call('ZREMRANGEBYSCORE', USES, '-inf', int(now - 366 * DAY))
if ARGV[1] ~= '' then redis.call('ZADD', USES, int(now), ARGV[1]) end
local answer = {}
for i = 2, #ARGV do
  redis.call('ZADD', USES, 'NX', int(now), ARGV[i])
  table.insert(answer, int(math.max(now - redis.call('ZSCORE', USES, ARGV[i]), 0)))
end
return answer
