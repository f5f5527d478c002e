-- Builds a failed build again, or has one that was put off tried at once. An operator may do so also if the line is full.
-- KEYS as in prelude.lua   ARGV 1 request hash
-- Answer, a list of one: "again", "due", or what it is: "waiting", "started", "done" or "unknown"
local values = fields(RECORD, 'state', 'seq')
local state = values[1]
if state == '' then return {'unknown'} end
if state == 'failed' then
  start_over(RECORD, ARGV[1])
  return {'again'}
end
if state ~= 'queued' then return {state} end
if redis.call('ZREM', DELAYED, ARGV[1]) == 0 then return {'waiting'} end
redis.call('ZADD', PENDING, values[2], ARGV[1])
redis.call('PUBLISH', WAKE, '')
return {'due'}
