-- Drops the record of stored images, so that they may be deleted. The list still has them until they are.
-- KEYS as in prelude.lua   ARGV 1 name under which the images are stored
-- Answer, a list of one: "gone" if no record has them any more, or "running" if they are about to be reported
local verdict = judge_stored(RECORD, ARGV[1])
if verdict == 'done' then redis.call('DEL', RECORD) end
return {verdict == 'running' and 'running' or 'gone'}
