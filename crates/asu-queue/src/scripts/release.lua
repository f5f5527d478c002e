-- Puts a build back to its place in line, if the token still holds it.
-- KEYS as in prelude.lua   ARGV 1 request hash  2 token  3 "unused" if the attempt does not count, else "used"
--   4 most attempts  5 token for a build that is given up  6 its ttl in ms
-- Answer, a list of one: "released", "gave_up" or "lost"
if not owned(RECORD, ARGV[2]) then return {'lost'} end
if ARGV[3] == 'unused' then
  redis.call('HINCRBY', RECORD, 'tries', -1)
else
  local tries = redis.call('HGET', RECORD, 'tries')
  if tonumber(tries) >= tonumber(ARGV[4]) then
    give_up(RECORD, ARGV[1], tries, ARGV[5], ARGV[6])
    return {'gave_up'}
  end
end
put_back(RECORD, ARGV[1])
return {'released'}
