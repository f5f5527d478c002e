-- The attempts that hold a build. A lease that ran out is still held until somebody takes the build.
-- KEYS as in prelude.lua, 7 is the prefix of records
-- Answer: list of tokens
local tokens = {}
for _, hash in ipairs(redis.call('ZRANGE', RUNNING, 0, -1)) do
  local values = fields(RECORD .. hash, 'state', 'token')
  if values[1] == 'started' then table.insert(tokens, values[2]) end
end
return tokens
