-- Puts a finished build in line once more whose images are gone, unless that happened already. If there is no room it is
-- dropped.
-- KEYS as in prelude.lua   ARGV 1 request hash  2 token of the attempt  3 most builds that may wait  4 lease in ms
-- Answer: {"again" | "known", status...}, or {"gone"} if there is no such build, or not any more
local values = fields(RECORD, 'state', 'token')
local function answer(kind)
  local known = status(RECORD, ARGV[1], ARGV[4])
  return known[1] and {kind, unpack(known)} or {'gone'}
end
if values[1] ~= 'done' or values[2] ~= ARGV[2] then return answer('known') end
redis.call('ZREM', STORED, stored_name(ARGV[1], ARGV[2]))
if redis.call('ZCARD', PENDING) + redis.call('ZCARD', DELAYED) >= tonumber(ARGV[3]) then
  redis.call('DEL', RECORD)
  return {'gone'}
end
start_over(RECORD, ARGV[1])
return answer('again')
