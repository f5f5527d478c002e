-- Drops the record of a finished build, unless it was built again in the meantime.
-- KEYS as in prelude.lua   ARGV 1 token of the attempt
-- Answer, a list of one: "forgotten" or "lost"
local values = fields(RECORD, 'state', 'token')
if (values[1] ~= 'done' and values[1] ~= 'failed') or values[2] ~= ARGV[1] then return {'lost'} end
redis.call('DEL', RECORD)
return {'forgotten'}
