-- Ends a build that waits or runs. A new token, so that whoever works on it loses it at once and can report nothing.
-- KEYS as in prelude.lua
-- ARGV 1 request hash  2 new token  3 outcome  4 its ttl in ms  5 kind of the failure  6 its detail
-- Answer, a list of one: "waited" or "ran" if it is cancelled, "ended" if it had ended before, or "unknown"
local values = fields(RECORD, 'state', 'token', 'started_at', 'cancelled')
local state, token = values[1], values[2]
if state == '' then return {'unknown'} end
if token == ARGV[2] then return {values[4]} end
if state ~= 'queued' and state ~= 'started' then return {'ended'} end

local now = now_ms()
local was = state == 'started' and 'ran' or 'waited'
redis.call('HSET', RECORD, 'state', 'failed', 'token', ARGV[2], 'outcome', ARGV[3], 'cancelled', was,
  'started_at', values[3] ~= '' and values[3] or int(now), 'finished_at', int(now))
redis.call('HDEL', RECORD, 'worker', 'stage', 'build_cmd', 'trouble_since')
for _, line in ipairs({PENDING, RUNNING, DELAYED}) do redis.call('ZREM', line, ARGV[1]) end
redis.call('PEXPIRE', RECORD, ARGV[4])
count_failure(now, RECORD, {kind = ARGV[5], detail = ARGV[6]})
-- Its worker need not wait for the next heartbeat.
if was == 'ran' then redis.call('PUBLISH', WAKE, token) end
return {was}
