-- Renews a lease and notes how far the build is.
-- KEYS as in prelude.lua   ARGV 1 request hash  2 token  3 lease in ms  4 stage or ""  5 build_cmd or ""
-- Answer, a list of one: "ours", "finished" if the build ended under this very token, or "lost"
local values = fields(RECORD, 'state', 'token')
if values[2] ~= ARGV[2] then return {'lost'} end
if values[1] ~= 'started' then return {'finished'} end
if ARGV[4] ~= '' then redis.call('HSET', RECORD, 'stage', ARGV[4]) end
if ARGV[5] ~= '' then redis.call('HSET', RECORD, 'build_cmd', ARGV[5]) end
redis.call('ZADD', RUNNING, int(now_ms() + ARGV[3]), ARGV[1])
return {'ours'}
