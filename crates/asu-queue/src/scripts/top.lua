-- The packages that most builds of the last days have. What was found is kept for a short time, so that nobody makes
-- this server add up again and again.
-- KEYS as in prelude.lua   ARGV 1 number of days  2 branch or "" for all  3 most packages  4 ms that it is kept
-- Answer: {package, count, ...}
local top = STATS .. 'top:' .. ARGV[2]
if redis.call('EXISTS', top) == 0 then
  local today = day_of(now_ms())
  local keys = {}
  for day = today - ARGV[1] + 1, today do
    table.insert(keys, STATS .. 'packages:' .. day .. ':' .. ARGV[2])
  end
  redis.call('ZUNIONSTORE', top, #keys, unpack(keys))
  redis.call('ZREMRANGEBYRANK', top, 0, -1 - ARGV[3])
  redis.call('PEXPIRE', top, ARGV[4])
end
return redis.call('ZREVRANGE', top, 0, -1, 'WITHSCORES')
