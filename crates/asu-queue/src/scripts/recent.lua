-- How many builds were done in the last 24 hours.
-- KEYS as in prelude.lua
-- Answer, a list of one: the number
return {redis.call('ZCOUNT', STATS .. 'recent', '(' .. int(now_ms() - DAY), '+inf')}
