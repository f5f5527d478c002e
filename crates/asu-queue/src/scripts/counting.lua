-- What is counted for the statistics, in days and weeks of UTC by this server's clock. Stands before prelude.lua.
-- 9 of KEYS is the prefix of these keys. N counts days, or weeks that begin on Monday, since 1970:
--   day:N              hash, how many requests, hits and failures, and requests of each client (client:LABEL)
--   week:N             hash, how many builds were done of each version
--   packages:N:BRANCH  zset, packages of a day's done builds by how many have them; of all branches without one
--   top:BRANCH         zset, the packages of many days, made by top.lua for some seconds
--   recent             zset, builds that were done in the last 24 hours by when
--   errors             list, builds that failed, newest first
-- A build is counted if its record names its branch. Each function is called where a state changes, which happens once
-- however often a script is sent. Trouble with counting is nobody else's trouble: it is not even told.
local STATS = KEYS[9]
local DAY = 24 * 60 * 60 * 1000
local MAX_PACKAGES, MAX_VERSIONS, MAX_RECENT, MAX_ERRORS = 1000, 200, 100000, 500

local function day_of(now)
  return math.floor(now / DAY)
end

-- 1970 began on a Thursday.
local function week_of(now)
  return math.floor((math.floor(now / DAY) + 3) / 7)
end

local function count_in_day(now, field)
  local key = STATS .. 'day:' .. day_of(now)
  redis.call('HINCRBY', key, field, 1)
  redis.call('PEXPIRE', key, 32 * DAY)
end

local function count_version(now, version)
  local key = STATS .. 'week:' .. week_of(now)
  if redis.call('HEXISTS', key, version) == 0 and redis.call('HLEN', key) >= MAX_VERSIONS then return end
  redis.call('HINCRBY', key, version, 1)
  redis.call('PEXPIRE', key, 27 * 7 * DAY)
end

local function count_packages(now, branch, packages)
  local key = STATS .. 'packages:' .. day_of(now) .. ':' .. branch
  for _, package in ipairs(packages) do
    if string.sub(package, 1, 1) ~= '-' then redis.call('ZINCRBY', key, 1, package) end
  end
  redis.call('ZREMRANGEBYRANK', key, 0, -1 - MAX_PACKAGES)
  redis.call('PEXPIRE', key, 32 * DAY)
end

local function count_recent(now, seq)
  local key = STATS .. 'recent'
  redis.call('ZADD', key, string.format('%.0f', now), seq)
  redis.call('ZREMRANGEBYSCORE', key, '-inf', string.format('%.0f', now - DAY))
  redis.call('ZREMRANGEBYRANK', key, 0, -1 - MAX_RECENT)
  redis.call('PEXPIRE', key, DAY)
end

-- A request that was accepted; without a client it is not one of a client's.
local function count_request(now, client, is_hit)
  if client == '' then return end
  pcall(function()
    count_in_day(now, 'requests')
    if is_hit then count_in_day(now, 'hits') end
    count_in_day(now, 'client:' .. client)
  end)
end

local function count_done(now, record)
  pcall(function()
    local branch, seq, payload = unpack(redis.call('HMGET', record, 'branch', 'seq', 'payload'))
    if not branch then return end
    count_recent(now, seq)
    local request = cjson.decode(payload).request
    count_version(now, request.version)
    count_packages(now, branch, request.packages)
    count_packages(now, '', request.packages)
  end)
end

-- The failure has a kind, and a detail or the number of attempts.
local function count_failure(now, record, failure)
  pcall(function()
    local branch, payload = unpack(redis.call('HMGET', record, 'branch', 'payload'))
    if not branch then return end
    count_in_day(now, 'failures')
    local request = cjson.decode(payload).request
    failure.at, failure.version = now, request.version
    failure.target, failure.profile = request.target, request.profile
    local key = STATS .. 'errors'
    redis.call('LPUSH', key, cjson.encode(failure))
    redis.call('LTRIM', key, 0, MAX_ERRORS - 1)
    redis.call('PEXPIRE', key, 32 * DAY)
  end)
end
