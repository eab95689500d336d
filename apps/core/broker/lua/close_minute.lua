-- For whoever reads: minutes that are over are added to their hour, day and the total.
-- ARGV  1 prefix
-- Returns the minute that is counted into, which is in none of those yet, and what it holds; '' where there is none.
local minute
if refusal() then minute = redis.pcall('GET', OPEN) else minute = close_over() end
if type(minute) ~= 'string' or not tonumber(minute) then return {'', {}} end
local held = redis.pcall('HGETALL', P .. 'bgjobs:counts:m:' .. minute)
return {minute, held.err and {} or held}
