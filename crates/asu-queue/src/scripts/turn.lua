-- Takes the turn to tidy up, keeps it, or ends it.
-- KEYS as in prelude.lua, then who has the turn   ARGV 1 token of the caller  2 ms that the turn lasts, 0 to end it
-- Answer, a list of one: "ours" or "taken"
local TURN = KEYS[#KEYS]
local holder = redis.call('GET', TURN)
if holder and holder ~= ARGV[1] then return {'taken'} end
if ARGV[2] == '0' then
  redis.call('DEL', TURN)
else
  redis.call('SET', TURN, ARGV[1], 'PX', ARGV[2])
end
return {'ours'}
