-- Undoes a take whose answer never came.
-- KEYS as in prelude.lua, 7 is the prefix of records   ARGV 1 token
-- Answer, a list of one: "released", or "lost" if the token holds nothing
for _, hash in ipairs(redis.call('ZRANGE', RUNNING, 0, -1)) do
  local record = RECORD .. hash
  if owned(record, ARGV[1]) then
    redis.call('HINCRBY', record, 'tries', -1)
    put_back(record, hash)
    return {'released'}
  end
end
return {'lost'}
