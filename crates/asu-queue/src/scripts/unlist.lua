-- Takes images that are deleted off the list.
-- KEYS as in prelude.lua   ARGV 1 name under which they were stored
-- Answer, a list of one: "unlisted", or "kept" if a record has them
if judge_stored(RECORD, ARGV[1]) ~= 'gone' then return {'kept'} end
redis.call('ZREM', STORED, ARGV[1])
return {'unlisted'}
