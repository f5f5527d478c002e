-- Stores how a build ended, if the token still holds it.
-- KEYS as in prelude.lua   ARGV 1 request hash  2 token  3 "done" or "failed"  4 outcome  5 ttl in ms
--   6 kind of the failure or ""  7 its detail or ""  8 bytes of the images that are stored, or ""
-- Answer, a list of one: "accepted", also if this token's outcome is stored already, or "lost"
local values = fields(RECORD, 'state', 'token', 'started_at')
if values[2] ~= ARGV[2] then return {'lost'} end
if values[1] == 'started' then
  redis.call('HSET', RECORD, 'state', ARGV[3], 'outcome', ARGV[4], 'finished_at', int(now_ms()))
  redis.call('HDEL', RECORD, 'worker', 'stage', 'build_cmd')
  redis.call('ZREM', RUNNING, ARGV[1])
  redis.call('PEXPIRE', RECORD, ARGV[5])
  note_duration(values[3])
  if ARGV[3] == 'done' then
    redis.call('ZADD', STORED, int(now_ms()), stored_name(ARGV[1], ARGV[2]))
    if ARGV[8] ~= '' then redis.call('HSET', RECORD, 'size', ARGV[8]) end
    count_done(now_ms(), RECORD)
  else
    count_failure(now_ms(), RECORD, {kind = ARGV[6], detail = ARGV[7]})
  end
end
return {'accepted'}
