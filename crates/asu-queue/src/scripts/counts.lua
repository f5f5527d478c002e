-- How much there is of everything.
-- KEYS as in prelude.lua, 7 is the prefix of records
-- Answer: {in line, delayed, running, live workers, ms since the head of the line was enqueued or -1,
--   builds that the workers run at the same time, mean duration of a build in ms or -1}
local now = now_ms()
local head = redis.call('ZRANGE', PENDING, 0, 0)[1]
local since = head and tonumber(redis.call('HGET', RECORD .. head, 'enqueued_at') or nil)
return {
  redis.call('ZCARD', PENDING), redis.call('ZCARD', DELAYED), redis.call('ZCARD', RUNNING),
  redis.call('ZCOUNT', WORKERS, '(' .. int(now), '+inf'), since and int(math.max(now - since, 0)) or '-1',
  slots(), int(mean_duration() or -1),
}
